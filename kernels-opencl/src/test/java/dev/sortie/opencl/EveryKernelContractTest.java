package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kernel passes its trial on every device. Trials are small enough for Oclgrind, which
 * watches each access: see docs/opencl.md.
 */
class EveryKernelContractTest {
  private static final List<String> SOURCES =
      List.of("elementwise", "rows", "attention", "weights", "gemm", "losses", "gradients");

  static Stream<TestDevices.Setup> setups() {
    return TestDevices.setups();
  }

  /** The names by which kernels are certified. */
  static List<String> kernels() {
    List<String> names =
        new ArrayList<>(
            List.of(
                "fill",
                "add",
                "mul",
                "mul_add",
                "scale",
                "axpy",
                "add_scalar",
                "copy_32",
                "copy_16",
                "copy_f32_bf16",
                "copy_bf16_f32",
                "copy_strided",
                "swiglu",
                "gelu",
                "rope",
                "rms_norm",
                "layer_norm",
                "softmax",
                "argmax",
                "attention ",
                "attention KV_BF16",
                "attention_backward ",
                "attention_backward KV_BF16",
                "sum_rows",
                "scatter_add",
                "rms_norm_backward",
                "swiglu_backward",
                "cross_entropy",
                "cross_entropy_backward",
                "cross_entropy_gradient",
                "log_softmax",
                "kl_gradient",
                "softmax_backward",
                "adamw"));
    for (DType type : DType.values()) {
      if (DeviceMatrix.macro(type).isPresent()) {
        names.addAll(
            List.of("gemv " + type, "gather " + type, "gemm NT " + type, "gemm NN " + type));
      }
    }
    return names;
  }

  @ParameterizedTest
  @MethodSource("setups")
  void everyKernelPassesItsTrial(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open()) {
      for (String kernel : kernels()) {
        kernels.certification().passes(kernel);
      }
      assertThat(kernels.disabled()).isEmpty();
    }
  }

  /** Kernels that are parts of what another name stands for. */
  private static final Map<String, String> PARTS =
      Map.of(
          "gemm_panels", "gemm",
          "gemm_tiles", "gemm",
          "pack_rows", "gemm",
          "pack_cols", "gemm",
          "widen", "gemm",
          "rms_norm_backward_x", "rms_norm_backward",
          "rms_norm_backward_w", "rms_norm_backward",
          "attention_dq", "attention_backward",
          "attention_dkv", "attention_backward");

  @Test
  void noKernelIsWithoutATrial() {
    Set<String> tried =
        kernels().stream().map(name -> name.split(" ")[0]).collect(Collectors.toSet());
    Pattern declaration = Pattern.compile("__kernel [^;{]*?void\\s+(\\w+)\\(");
    int found = 0;
    for (String source : SOURCES) {
      for (MatchResult match : declaration.matcher(ClPrograms.source(source)).results().toList()) {
        String kernel = match.group(1);
        assertThat(tried).as(source + ".cl").contains(PARTS.getOrDefault(kernel, kernel));
        found++;
      }
    }
    assertThat(found).isEqualTo(tried.size() + PARTS.size() - 3);
  }
}

package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.DType;
import java.util.ArrayList;
import java.util.HashSet;
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
      List.of("elementwise", "rows", "attention", "weights", "gemm", "losses", "gradients", "sums");

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
                "dropout",
                "dropout_add",
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
                "attention_runs",
                "attention_runs KV_BF16",
                "attention_backward ",
                "attention_backward KV_BF16",
                "zero_token",
                "zero_token_backward",
                "sum_rows",
                "scatter_add",
                "rms_norm_backward",
                "layer_norm_backward",
                "gelu_backward",
                "sums",
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
  @NeedsDevice
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
      Map.ofEntries(
          Map.entry("gemm_panels", "gemm"),
          Map.entry("gemm_tiles", "gemm"),
          Map.entry("pack_rows", "gemm"),
          Map.entry("pack_cols", "gemm"),
          Map.entry("widen", "gemm"),
          Map.entry("rms_norm_backward_x", "rms_norm_backward"),
          Map.entry("rms_norm_backward_w", "rms_norm_backward"),
          Map.entry("layer_norm_backward_x", "layer_norm_backward"),
          Map.entry("layer_norm_backward_w", "layer_norm_backward"),
          Map.entry("attention_dq", "attention_backward"),
          Map.entry("attention_dkv", "attention_backward"),
          Map.entry("zero_token_rows", "zero_token_backward"),
          Map.entry("zero_token_key", "zero_token_backward"),
          Map.entry("sum_parts", "sums"));

  /** A trial of a kernel that another name stands for, compiled with another macro. */
  private static final String VARIANT = "attention_runs";

  @Test
  void noKernelIsWithoutATrial() {
    Set<String> tried =
        kernels().stream().map(name -> name.split(" ")[0]).collect(Collectors.toSet());
    Pattern declaration = Pattern.compile("__kernel [^;{]*?void\\s+(\\w+)\\(");
    Set<String> found = new HashSet<>(Set.of(VARIANT));
    for (String source : SOURCES) {
      for (MatchResult match : declaration.matcher(ClPrograms.source(source)).results().toList()) {
        String kernel = match.group(1);
        found.add(PARTS.getOrDefault(kernel, kernel));
      }
    }
    assertThat(tried).isEqualTo(found);
  }
}

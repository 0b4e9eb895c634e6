package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A trial finds wrong results, writes outside of operands, and sources that do not compile. */
class CertificationContractTest {
  private static Trial addition() {
    return new Trial().f32(50).f32(50).reference((k, s) -> k.add(s[0], s[1], s[1]));
  }

  private static void add(Span[] s) {
    new ScalarKernels().add(s[0], s[1], s[1]);
  }

  @Test
  void aRightKernelPassesItsTrial() {
    assertThat(addition().device(CertificationContractTest::add).run()).isEmpty();
  }

  @Test
  void oneWrongElementIsNamed() {
    Trial trial =
        addition()
            .device(
                s -> {
                  add(s);
                  s[1].add(49, 1e-6);
                });
    assertThat(trial.run()).startsWith("operand 1, element 49 of 50 is");
  }

  @Test
  void aWriteBehindOrBeforeAnOperandIsNamed() {
    for (long at : new long[] {-1, 50}) {
      Trial trial =
          addition()
              .device(
                  s -> {
                    add(s);
                    s[0].storage().span(s[0].offset() + at, 1).set(0, 0);
                  });
      assertThat(trial.run())
          .isEqualTo("operand 0 of 50 elements: element " + at + " was overwritten");
    }
  }

  @Test
  void aChangedInputIsFound() {
    Trial trial =
        addition()
            .device(
                s -> {
                  add(s);
                  s[0].add(0, 1);
                });
    assertThat(trial.run()).startsWith("operand 0, element 0");
  }

  /** The kernel, broken in one of three ways. */
  static Stream<Arguments> breaks() {
    UnaryOperator<String> wrong = s -> s.replace("= a * x[xo + i]", "= a * x[xo + i] + 0.001f");
    UnaryOperator<String> outside =
        s ->
            s.replace(
                "#define ELEMENT(n) const ulong i = get_global_id(0); if (i >= (n)) return",
                "#define ELEMENT(n) const ulong i = get_global_id(0)");
    UnaryOperator<String> syntax = s -> s.replace("= a * x[xo + i]", "= a * nothing[xo + i]");
    return TestDevices.setups()
        .flatMap(
            setup ->
                Stream.of(
                    Arguments.of(setup, wrong, "operand 1, element 0 of"),
                    Arguments.of(setup, outside, "was overwritten"),
                    Arguments.of(setup, syntax, "nothing")));
  }

  @ParameterizedTest
  @NeedsDevice
  @MethodSource("breaks")
  void aKernelThatFailsIsNamedAndTheHostDoesItsWork(
      TestDevices.Setup setup, UnaryOperator<String> edit, String reason) {
    try (OpenClKernels kernels =
            OpenClProvider.open(setup.index(), new ScalarKernels(), setup.options(), edit);
        NativeArena arena = new NativeArena("test")) {
      Span x = arena.allocate(DType.F32, 3).span();
      x.set(1, 21);
      kernels.scale(2, x, x);
      kernels.scale(2, x, x);
      assertThat(x.get(1)).isEqualTo(84);
      assertThat(kernels.disabled()).containsOnlyKeys("scale");
      assertThat(kernels.disabled().get("scale")).contains(reason);
      assertThat(kernels.hostCalls()).isEqualTo(Map.of("scale", 2L));
    }
  }
}

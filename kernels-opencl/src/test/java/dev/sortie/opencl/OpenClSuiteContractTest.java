package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.suite.ExactCases;
import dev.sortie.tensor.suite.KernelCase;
import dev.sortie.tensor.suite.KernelCases;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The suite of {@link dev.sortie.tensor.kernel.Kernels} on every OpenCL device, in one test a
 * device since cases are thousands. What ran on the host instead is asserted by {@link
 * HostWorkContractTest}.
 */
@Tag("slow")
@NeedsDevice
class OpenClSuiteContractTest {
  /** Tails up to a vector of 16 and one element. */
  private static final int LANES = 6;

  static Stream<TestDevices.Setup> setups() {
    return TestDevices.setups();
  }

  @ParameterizedTest
  @MethodSource("setups")
  void agreesWithTheReferenceInDouble(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open()) {
      runAll(KernelCases.all().stream(), c -> c.check(kernels));
      assertThat(kernels.disabled()).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("setups")
  void equalsItsScalarTwinBitForBitWhereArithmeticIsExact(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open()) {
      runAll(
          ExactCases.all(LANES),
          c -> {
            double[][] expected = c.run(new ScalarKernels(), true);
            double[][] actual = c.run(kernels, false);
            for (int o = 0; o < expected.length; o++) {
              if (!Arrays.equals(expected[o], actual[o])) {
                assertThat(actual[o]).as("%s: operand %d", c, o).isEqualTo(expected[o]);
              }
            }
          });
    }
  }

  private static void runAll(
      Stream<KernelCase> cases, java.util.function.Consumer<KernelCase> run) {
    List<String> wrong = new ArrayList<>();
    cases.forEach(
        c -> {
          try {
            run.accept(c);
          } catch (AssertionError | RuntimeException e) {
            wrong.add(c + ": " + e);
          }
        });
    if (!wrong.isEmpty()) {
      fail(
          wrong.size()
              + " cases:\n"
              + String.join("\n", wrong.subList(0, Math.min(5, wrong.size()))));
    }
  }
}

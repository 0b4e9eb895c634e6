package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.suite.KernelCases;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the host does in the device's stead is this and no more. */
@NeedsDevice
class HostWorkContractTest {
  /** Kernels that no device has yet, and the types that device kernels leave out. */
  private static final Set<String> HOST =
      Set.of(
          "addStrided", // gradients of views
          "copy", // conversions with F16 and I32
          "copyStrided", // views of BF16
          "fill", // BF16
          "kl", // training has a fused one
          "klBackward",
          "sum", // of types other than F32
          "sumSquares"); // of types other than F32

  static Stream<TestDevices.Setup> setups() {
    return TestDevices.setups();
  }

  @ParameterizedTest
  @MethodSource("setups")
  void onlyWhatIsListedRunsOnTheHost(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open()) {
      KernelCases.all().stream()
          .filter(c -> c.name().contains(" 33") || !c.name().matches(".*\\d{4}.*"))
          .forEach(c -> c.run(kernels, false));
      assertThat(HOST).containsAll(kernels.hostCalls().keySet());
    }
  }
}

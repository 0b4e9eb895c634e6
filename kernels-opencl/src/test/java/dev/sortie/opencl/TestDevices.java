package dev.sortie.opencl;

import dev.sortie.tensor.kernel.ScalarKernels;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The devices that tests run on: each of this machine, as a CPU that shares memory and as a GPU.
 * For tests with {@link NeedsDevice}.
 */
final class TestDevices {
  static final OpenClOptions AS_CPU = new OpenClOptions("cpu", true, Optional.empty());
  static final OpenClOptions AS_GPU = new OpenClOptions("gpu", false, Optional.empty());

  /** A device and how it is opened. */
  record Setup(int index, String device, OpenClOptions options) {
    OpenClKernels open() {
      return OpenClProvider.open(index, new ScalarKernels(), options);
    }

    @Override
    public String toString() {
      return device + " as " + options.preset() + (options.shareMemory() ? "" : ", memory copied");
    }
  }

  private TestDevices() {}

  static Stream<Setup> setups() {
    List<OpenClDevice> devices = OpenClDevices.list().devices();
    return IntStream.range(0, devices.size())
        .boxed()
        .flatMap(
            i ->
                Stream.of(AS_CPU, AS_GPU)
                    .map(options -> new Setup(i, devices.get(i).name(), options)));
  }

  /** The first device. */
  static OpenClKernels open(OpenClOptions options) {
    return OpenClProvider.open(0, new ScalarKernels(), options);
  }
}

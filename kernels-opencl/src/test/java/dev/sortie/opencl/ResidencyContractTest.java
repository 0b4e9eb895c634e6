package dev.sortie.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Workspace;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Contents are where they were computed until somebody asks for them elsewhere. */
@NeedsDevice
class ResidencyContractTest {
  private static final int N = 1000;
  private static final long BYTES = 4L * N;

  static Stream<TestDevices.Setup> setups() {
    return TestDevices.setups();
  }

  private static Span ones(NativeArena arena) {
    Span span = arena.allocate(DType.F32, N).span();
    for (int i = 0; i < N; i++) {
      span.set(i, 1);
    }
    return span;
  }

  @Test
  void aMirrorIsFilledOnceAndFetchedOnce() {
    try (OpenClKernels kernels = TestDevices.open(TestDevices.AS_GPU);
        NativeArena arena = new NativeArena("test")) {
      kernels.add(ones(arena), ones(arena), ones(arena)); // certifies the kernel
      Span x = ones(arena);
      Span y = arena.allocate(DType.F32, N).span();
      TransferCounts before = kernels.transfers();
      for (int i = 0; i < 5; i++) {
        kernels.add(x, i == 0 ? x : y, y);
      }
      assertThat(kernels.transfers().since(before)).isEqualTo(new TransferCounts(1, BYTES, 0, 0));
      assertThat(y.get(0)).isEqualTo(6);
      assertThat(y.get(N - 1)).isEqualTo(6);
      assertThat(x.get(3)).isEqualTo(1);
      kernels.add(x, y, y); // reading on the host makes nothing stale
      assertThat(kernels.transfers().since(before))
          .isEqualTo(new TransferCounts(1, BYTES, 1, BYTES));
    }
  }

  @ParameterizedTest
  @MethodSource("setups")
  void hostAndDeviceSeeWhatTheOtherWrote(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open();
        NativeArena arena = new NativeArena("test")) {
      Span x = ones(arena);
      Span part = x.slice(10, 20);
      for (int round = 1; round < 20; round++) {
        kernels.addScalar(1, part); // device
        assertThat(x.get(10)).isEqualTo(2 * round);
        assertThat(x.get(9)).isEqualTo(1);
        assertThat(x.get(30)).isEqualTo(1);
        for (int i = 0; i < part.length(); i++) {
          part.add(i, 1); // host
        }
        kernels.sum(x); // a kernel of the host
      }
    }
  }

  @ParameterizedTest
  @MethodSource("setups")
  void memoryOfAWorkspaceIsUsedAgainWithoutMixingStepsUp(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open();
        Workspace workspace = new Workspace()) {
      for (int step = 0; step < 200; step++) {
        Span x = workspace.allocate(DType.F32, N).span();
        Span y = workspace.allocate(DType.F32, N).span();
        for (int i = 0; i < N; i++) {
          x.set(i, step);
        }
        kernels.scale(2, x, y);
        if (step % 3 == 0) {
          kernels.addScalar(1, x); // still running when the memory is given back
        } else {
          assertThat(y.get(N - 1)).isEqualTo(2 * step);
        }
        workspace.reset();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("setups")
  void memoryMayBeFreedBeforeOrAfterTheDevice(TestDevices.Setup setup) {
    OpenClKernels kernels = setup.open();
    NativeArena late = new NativeArena("late");
    try (NativeArena early = new NativeArena("early")) {
      kernels.addScalar(1, ones(early));
      kernels.addScalar(1, ones(late));
    }
    kernels.close();
    late.close();
    kernels.close(); // harmless
  }

  @Test
  void contentsThatOnlyAClosedDeviceHadAreRefused() {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = ones(arena);
      try (OpenClKernels kernels = TestDevices.open(TestDevices.AS_GPU)) {
        kernels.addScalar(1, x);
      }
      assertThatThrownBy(() -> x.get(0))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void twoDevicesDoNotWorkOnOneMemory() {
    try (OpenClKernels one = TestDevices.open(TestDevices.AS_GPU);
        OpenClKernels two = TestDevices.open(TestDevices.AS_GPU);
        NativeArena arena = new NativeArena("test")) {
      Span x = ones(arena);
      one.addScalar(1, x);
      assertThatThrownBy(() -> two.addScalar(1, x))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("in use by");
    }
  }

  @Test
  void tooMuchMemoryIsRefusedWithWhatIsNeededAndWhatThereIs() {
    ClDevice device = ClPlatforms.ask().devices().getFirst();
    try (ClSession session = new ClSession(device)) {
      assertThatThrownBy(() -> session.allocate(1L << 50))
          .isInstanceOf(OutOfMemoryError.class)
          .hasMessageContaining("1048576.000 GiB is needed")
          .hasMessageMatching(".*largest buffer: \\d+\\.\\d{3} GiB;.*");
    }
  }

  @Test
  void aDeviceThatIsNotThereIsToldInOneLine() {
    assertThatThrownBy(
            () ->
                OpenClProvider.open(
                    99,
                    new dev.sortie.tensor.kernel.ScalarKernels(),
                    new OpenClOptions("auto", true, Optional.empty())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no OpenCL device 99")
        .hasMessageNotContaining("\n");
  }
}

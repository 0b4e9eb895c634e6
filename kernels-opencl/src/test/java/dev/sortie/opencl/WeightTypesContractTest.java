package dev.sortie.opencl;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights read in place, of every type that the device reads. */
@NeedsDevice
class WeightTypesContractTest {
  private static final List<DType> TYPES =
      List.of(
          DType.F32,
          DType.BF16,
          DType.F16,
          DType.Q8_0,
          DType.Q4_0,
          DType.Q4_1,
          DType.Q4_K,
          DType.Q6_K);
  private static final int N = 70;
  private static final int K = 512;

  private final Random random = new Random(20251125);

  static Stream<TestDevices.Setup> setups() {
    return TestDevices.setups();
  }

  private Span floats(NativeArena arena, DType type, int count) {
    Span plain = arena.allocate(DType.F32, count).span();
    for (int i = 0; i < count; i++) {
      plain.set(i, random.nextGaussian());
    }
    Span span = arena.allocate(type, count).span();
    if (type == DType.Q6_K) { // has no encoder
      byte[] any = new byte[(int) span.bytes()];
      random.nextBytes(any);
      span.segment().copyFrom(MemorySegment.ofArray(any));
      for (long at = 208; at < span.bytes(); at += 210) {
        span.segment().set(JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(1f / 2048));
      }
    } else {
      new ScalarKernels().copy(plain, span);
    }
    return span;
  }

  /** Rounding of sums of 512 products of about 1 in F32. */
  @ParameterizedTest
  @MethodSource("setups")
  void productsAndRowsAgreeWithTheReference(TestDevices.Setup setup) {
    Kernels scalar = new ScalarKernels();
    try (OpenClKernels kernels = setup.open();
        NativeArena arena = new NativeArena("test")) {
      for (DType type : TYPES) {
        Span w = floats(arena, type, N * K);
        for (int m : new int[] {1, 3, 16, 17, 40}) {
          Span x = floats(arena, DType.F32, m * K);
          Span y = arena.allocate(DType.F32, m * N).span();
          Span expected = arena.allocate(DType.F32, m * N).span();
          kernels.linear(x, w, null, y, m, N, K);
          scalar.linear(x, w, null, expected, m, N, K);
          same(y, expected, 2e-4, type + " m " + m);
        }
        Span dy = floats(arena, DType.F32, 20 * N);
        Span dx = arena.allocate(DType.F32, 20 * K).span();
        Span expected = arena.allocate(DType.F32, 20 * K).span();
        kernels.gemm(false, false, 20, K, N, dy, w, dx, false);
        scalar.gemm(false, false, 20, K, N, dy, w, expected, false);
        same(dx, expected, 2e-4, type + " gemm");
        Span ids = arena.allocate(DType.I32, 3).span();
        ids.set(0, N - 1);
        Span rows = arena.allocate(DType.F32, 3 * K).span();
        Span decoded = arena.allocate(DType.F32, 3 * K).span();
        kernels.gatherRows(w, ids, rows, 3, K);
        scalar.gatherRows(w, ids, decoded, 3, K);
        same(rows, decoded, type == DType.Q6_K ? 1e-6 : 0, type + " gather");
      }
      assertThat(kernels.disabled()).isEmpty();
      assertThat(kernels.hostCalls()).isEmpty();
    }
  }

  private static void same(Span actual, Span expected, double tolerance, String what) {
    for (int i = 0; i < expected.length(); i++) {
      assertThat(actual.get(i))
          .as("%s, element %d", what, i)
          .isCloseTo(expected.get(i), within(tolerance));
    }
  }

  @ParameterizedTest
  @MethodSource("setups")
  void aRowHasTheSameBitsAloneAndInEveryBatch(TestDevices.Setup setup) {
    try (OpenClKernels kernels = setup.open();
        NativeArena arena = new NativeArena("test")) {
      for (DType type : TYPES) {
        Span w = floats(arena, type, N * K);
        Span x = floats(arena, DType.F32, Kernels.ROW_STABLE * K);
        Span alone = arena.allocate(DType.F32, Kernels.ROW_STABLE * N).span();
        for (int i = 0; i < Kernels.ROW_STABLE; i++) {
          kernels.linear(x.slice(i * K, K), w, null, alone.slice(i * N, N), 1, N, K);
        }
        for (int m = 2; m <= Kernels.ROW_STABLE; m++) {
          Span y = arena.allocate(DType.F32, m * N).span();
          kernels.linear(x, w, null, y, m, N, K);
          for (int i = 0; i < m * N; i++) {
            assertThat(y.get(i)).as("%s m %d, %d", type, m, i).isEqualTo(alone.get(i));
          }
        }
      }
    }
  }
}

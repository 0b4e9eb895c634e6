package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.kernel.TestSpans.assertSentinels;
import static dev.sortie.tensor.kernel.TestSpans.floats;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * When {@link Kernels#linear} and {@link Kernels#gemm} promise the same bits, for each kernel set.
 */
class MatrixBitsContractTest {
  private static final WorkerPool ONE = new WorkerPool(1);
  private static final WorkerPool TWO = new WorkerPool(2);
  private static final WorkerPool THREE = new WorkerPool(3);

  private final TestSpans spans = new TestSpans(20240607);

  static Stream<Kernels> kernels() {
    return Stream.of(
        new ScalarKernels(),
        KernelSets.choose(ONE),
        KernelSets.choose(TWO),
        KernelSets.choose(THREE));
  }

  @AfterEach
  void free() {
    spans.close();
  }

  @AfterAll
  static void stop() {
    ONE.close();
    TWO.close();
    THREE.close();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aRowOfLinearHasTheSameBitsAloneAndInABatch(Kernels kernels) {
    for (int[] s : new int[][] {{65, 192}, {40, 100}, {300, 577}, {33, 7}}) {
      for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
        int n = s[0];
        int k = s[1];
        Span x = spans.gaussians(DType.F32, (long) Kernels.ROW_STABLE * k);
        Span w = spans.gaussians(type, (long) n * k);
        Span bias = spans.gaussians(DType.F32, n);
        List<float[]> alone = new ArrayList<>();
        for (int i = 0; i < Kernels.ROW_STABLE; i++) {
          Span y = spans.output(n);
          kernels.linear(x.slice((long) i * k, k), w, bias, y, 1, n, k);
          alone.add(floats(y));
        }
        for (int m = 1; m <= Kernels.ROW_STABLE; m++) {
          Span y = spans.output((long) m * n);
          kernels.linear(x.slice(0, (long) m * k), w, bias, y, m, n, k);
          for (int i = 0; i < m; i++) {
            assertThat(floats(y.slice((long) i * n, n)))
                .as("row %d of %d, n %d k %d w %s", i, m, n, k, type)
                .isEqualTo(alone.get(i));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void resultsHaveTheSameBitsForEveryNumberOfThreads(Kernels kernels) {
    boolean scalar = kernels instanceof ScalarKernels;
    Kernels single = scalar ? new ScalarKernels() : KernelSets.choose(ONE);
    for (int[] s :
        new int[][] {
          {130, 257, 577}, {600, 40, 70}, {30, 700, 100}, {4, 900, 300}, {1, 1500, 192}
        }) {
      Span a = spans.gaussians(DType.F32, (long) s[0] * s[2]);
      Span b = spans.gaussians(DType.F32, (long) s[1] * s[2]);
      Span c = spans.output((long) s[0] * s[1]);
      Span reference = spans.output((long) s[0] * s[1]);
      for (int mode = 0; mode < 4; mode++) {
        kernels.gemm((mode & 1) != 0, (mode & 2) != 0, s[0], s[1], s[2], a, b, c, false);
        single.gemm((mode & 1) != 0, (mode & 2) != 0, s[0], s[1], s[2], a, b, reference, false);
        assertThat(floats(c)).as("gemm, mode %d", mode).isEqualTo(floats(reference));
      }
      kernels.linear(a, b, null, c, s[0], s[1], s[2]);
      single.linear(a, b, null, reference, s[0], s[1], s[2]);
      assertThat(floats(c)).as("linear").isEqualTo(floats(reference));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aSplitOfRowsAndColumnsChangesNoBit(Kernels kernels) {
    int m = 70;
    int n = 90;
    int k = 600;
    Span a = spans.gaussians(DType.F32, (long) m * k);
    Span b = spans.gaussians(DType.F32, (long) n * k);
    Span whole = spans.output((long) m * n);
    kernels.gemm(false, true, m, n, k, a, b, whole, false);
    for (int[] part : new int[][] {{0, 1, 0, 1}, {3, 20, 5, 61}, {69, 1, 0, 90}, {8, 62, 89, 1}}) {
      Span c = spans.output((long) part[1] * part[3]);
      kernels.gemm(
          false,
          true,
          part[1],
          part[3],
          k,
          a.slice((long) part[0] * k, (long) part[1] * k),
          b.slice((long) part[2] * k, (long) part[3] * k),
          c,
          false);
      for (int i = 0; i < part[1]; i++) {
        float[] expected = floats(whole.slice((long) (part[0] + i) * n + part[2], part[3]));
        assertThat(floats(c.slice((long) i * part[3], part[3]))).isEqualTo(expected);
      }
    }
  }

  /** One row of a has a kernel of its own where k of b is not contiguous. */
  @ParameterizedTest
  @MethodSource("kernels")
  void oneRowOfGemmHasTheBitsThatItHasAmongOthers(Kernels kernels) {
    int most = 8300;
    int[][] sizes = {{1, 5}, {31, 1}, {33, 1030}, {97, 513}, {96, 8}, {most, 19}, {40, 0}};
    for (int[] size : sizes) {
      int n = size[0];
      int k = size[1];
      Span a = spans.gaussians(DType.F32, Math.max(1, 2L * k));
      Span b = spans.gaussians(DType.F32, Math.max(1, (long) k * n));
      for (boolean accumulate : new boolean[] {false, true}) {
        Span two = spans.gaussians(DType.F32, 2L * n);
        Span one = spans.output(n);
        kernels.copy(two.slice(0, n), one);
        kernels.gemm(false, false, 2, n, k, a, b, two, accumulate);
        kernels.gemm(false, false, 1, n, k, a, b, one, accumulate);
        String what = "n " + n + " k " + k + " accumulate " + accumulate;
        assertThat(floats(one)).as(what).isEqualTo(floats(two.slice(0, n)));
        assertSentinels(one, what);
      }
    }
  }
}

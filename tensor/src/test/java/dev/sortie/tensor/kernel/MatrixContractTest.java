package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.kernel.TestSpans.SENTINEL;
import static dev.sortie.tensor.kernel.TestSpans.assertSentinels;
import static dev.sortie.tensor.kernel.TestSpans.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What {@link Kernels#linear} and {@link Kernels#gemm} promise, for each kernel set. The vector
 * width is that of the run, see {@link KernelSets#PROPERTY}.
 */
class MatrixContractTest {
  private static final WorkerPool ONE = new WorkerPool(1);
  private static final WorkerPool TWO = new WorkerPool(2);
  private static final WorkerPool THREE = new WorkerPool(3);

  /**
   * Triples of m, n, k: each odd size in each place, both sides of every tile edge, of ROW_STABLE
   * and of the blocks of K; and rows of which the last few are packed deeper than those before.
   */
  private static final int[][] SHAPES = {
    {1, 1, 1},
    {1, 2, 3},
    {2, 7, 1},
    {3, 8, 9},
    {7, 3, 2},
    {8, 1, 16},
    {9, 15, 7},
    {15, 16, 8},
    {16, 9, 15},
    {16, 32, 64},
    {17, 17, 17},
    {17, 31, 33},
    {31, 2, 100},
    {33, 64, 31},
    {64, 33, 130},
    {100, 130, 3},
    {130, 8, 257},
    {1, 257, 130},
    {2, 100, 257},
    {3, 64, 100},
    {4, 33, 65},
    {7, 130, 64},
    {257, 100, 16},
    {257, 1, 33},
    {100, 257, 64},
    {1, 33, 1000},
    {5, 40, 577},
    {20, 40, 1030},
    {40, 70, 520},
    {300, 33, 20},
    {1792, 2, 576}
  };

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

  /**
   * {@code op(a) · op(b)} in double, with the sum of absolute products in {@code size} if it is
   * given.
   */
  private static double[] product(
      boolean transA, boolean transB, int m, int n, int k, Span a, Span b, double[] size) {
    float[] as = floats(a);
    float[] bs = floats(b);
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        double absolute = 0;
        for (int p = 0; p < k; p++) {
          double term =
              (double) as[transA ? p * m + i : i * k + p] * bs[transB ? j * k + p : p * n + j];
          sum += term;
          absolute += Math.abs(term);
        }
        c[i * n + j] = sum;
        if (size != null) {
          size[i * n + j] = absolute;
        }
      }
    }
    return c;
  }

  private static float[] toFloats(double[] values) {
    float[] f = new float[values.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) values[i];
    }
    return f;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void gemmOfIntegersIsExact(Kernels kernels) {
    for (int[] s : SHAPES) {
      for (int mode = 0; mode < 8; mode++) {
        boolean transA = (mode & 1) != 0;
        boolean transB = (mode & 2) != 0;
        boolean accumulate = (mode & 4) != 0;
        for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
          checkGemm(kernels, transA, transB, accumulate, type, s[0], s[1], s[2]);
        }
      }
    }
  }

  private void checkGemm(
      Kernels kernels,
      boolean transA,
      boolean transB,
      boolean accumulate,
      DType type,
      int m,
      int n,
      int k) {
    Span a = spans.integers(DType.F32, (long) m * k);
    Span b = spans.integers(type, (long) k * n);
    Span c = spans.output((long) m * n);
    kernels.gemm(transA, transB, m, n, k, a, b, c, accumulate);
    double[] expected = product(transA, transB, m, n, k, a, b, null);
    for (int i = 0; accumulate && i < expected.length; i++) {
      expected[i] += SENTINEL;
    }
    String what =
        "%s gemm m %d n %d k %d transA %s transB %s accumulate %s b %s"
            .formatted(kernels.name(), m, n, k, transA, transB, accumulate, type);
    assertThat(floats(c)).as(what).isEqualTo(toFloats(expected));
    assertSentinels(c, what);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void linearOfIntegersIsExact(Kernels kernels) {
    for (int[] s : SHAPES) {
      for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
        for (boolean biased : new boolean[] {false, true}) {
          int m = s[0];
          int n = s[1];
          int k = s[2];
          Span x = spans.integers(DType.F32, (long) m * k);
          Span w = spans.integers(type, (long) n * k);
          Span bias = biased ? spans.integers(DType.F32, n) : null;
          Span y = spans.output((long) m * n);
          kernels.linear(x, w, bias, y, m, n, k);
          double[] expected = product(false, true, m, n, k, x, w, null);
          for (int i = 0; biased && i < expected.length; i++) {
            expected[i] += bias.get(i % n);
          }
          String what =
              "%s linear m %d n %d k %d w %s bias %s"
                  .formatted(kernels.name(), m, n, k, type, biased);
          assertThat(floats(y)).as(what).isEqualTo(toFloats(expected));
          assertSentinels(y, what);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void emptySumsAreZeroOrTheBias(Kernels kernels) {
    Span none = spans.allocate(DType.F32, 1).slice(0, 0);
    for (int m : new int[] {1, 20}) {
      Span bias = spans.integers(DType.F32, 5);
      Span y = spans.output(m * 5L);
      kernels.linear(none, none, bias, y, m, 5, 0);
      Span c = spans.output(m * 5L);
      kernels.gemm(false, false, m, 5, 0, none, none, c, false);
      Span kept = spans.output(m * 5L);
      kernels.gemm(false, false, m, 5, 0, none, none, kept, true);
      for (int i = 0; i < m * 5; i++) {
        assertThat(y.get(i)).isEqualTo(bias.get(i % 5));
        assertThat(c.get(i)).isZero();
        assertThat(kept.get(i)).isEqualTo(SENTINEL);
      }
    }
  }

  /**
   * The bound of any order of summation with one rounding a step: {@code (k + 1) · 2^-24 · Σ|a b|},
   * and one more for the bias. Wide enough for every order, narrow enough that one lost or doubled
   * product fails.
   */
  @ParameterizedTest
  @MethodSource("kernels")
  void gaussiansStayWithinTheSummationBound(Kernels kernels) {
    for (int[] s : new int[][] {{1, 100, 577}, {16, 65, 192}, {33, 130, 700}, {70, 40, 1100}}) {
      for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
        Span x = spans.gaussians(DType.F32, (long) s[0] * s[2]);
        Span w = spans.gaussians(type, (long) s[1] * s[2]);
        Span y = spans.output((long) s[0] * s[1]);
        Span c = spans.output((long) s[0] * s[1]);
        kernels.linear(x, w, null, y, s[0], s[1], s[2]);
        kernels.gemm(false, true, s[0], s[1], s[2], x, w, c, false);
        double[] size = new double[s[0] * s[1]];
        double[] expected = product(false, true, s[0], s[1], s[2], x, w, size);
        for (int i = 0; i < expected.length; i++) {
          double bound = (s[2] + 1) * 0x1p-24 * size[i];
          assertThat(Math.abs(y.get(i) - expected[i]))
              .as("linear, %s, element %d", type, i)
              .isLessThanOrEqualTo(bound);
          assertThat(Math.abs(c.get(i) - expected[i]))
              .as("gemm, %s, element %d", type, i)
              .isLessThanOrEqualTo(bound);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void callersMayBeManyThreadsAndAlsoTheWorkersOfARegion(Kernels kernels) throws Exception {
    int m = 40;
    int n = 70;
    int k = 130;
    Span x = spans.gaussians(DType.F32, (long) m * k);
    Span w = spans.gaussians(DType.F16, (long) n * k);
    Span expected = spans.output((long) m * n);
    kernels.linear(x, w, null, expected, m, n, k);
    Callable<float[]> call =
        () -> {
          Span y = spans.output((long) m * n);
          for (int i = 0; i < 20; i++) {
            kernels.linear(x, w, null, y, m, n, k);
          }
          return floats(y);
        };
    try (var executor = Executors.newFixedThreadPool(3)) {
      for (Future<float[]> result : executor.invokeAll(List.of(call, call, call))) {
        assertThat(result.get()).isEqualTo(floats(expected));
      }
    }
    for (WorkerPool pool : List.of(TWO, THREE)) {
      Span y = spans.output(3L * m * n);
      pool.range(
          3,
          1,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              kernels.linear(x, w, null, y.slice((long) i * m * n, (long) m * n), m, n, k);
            }
          });
      for (int i = 0; i < 3; i++) {
        assertThat(floats(y.slice((long) i * m * n, (long) m * n))).isEqualTo(floats(expected));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void shortSpansAreRefusedWithBothLengths(Kernels kernels) {
    Span a = spans.integers(DType.F32, 6);
    Span b = spans.integers(DType.F32, 12);
    Span c = spans.output(7);
    assertThatThrownBy(() -> kernels.gemm(false, false, 2, 4, 3, a, b, c, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("7")
        .hasMessageContaining("8");
    assertSentinels(c, "refused product");
    assertThat(c.get(0)).isEqualTo(SENTINEL);
  }
}

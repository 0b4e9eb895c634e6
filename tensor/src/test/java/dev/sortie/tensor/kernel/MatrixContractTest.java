package dev.sortie.tensor.kernel;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
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
  private static final float SENTINEL = 12345.5f;
  private static final int MARGIN = 40;

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

  private final NativeArena arena = new NativeArena("matrix test");
  private final Random random = new Random(20240607);

  static Stream<Kernels> kernels() {
    return Stream.of(
        new ScalarKernels(),
        KernelSets.choose(ONE),
        KernelSets.choose(TWO),
        KernelSets.choose(THREE));
  }

  @AfterEach
  void free() {
    arena.close();
  }

  @AfterAll
  static void stop() {
    ONE.close();
    TWO.close();
    THREE.close();
  }

  /** Small integers: every product and sum is exact in F32, so any order gives the same bits. */
  private Span integers(DType type, long length) {
    Span span = arena.allocate(type, length).span();
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextInt(17) - 8);
    }
    return span;
  }

  private Span gaussians(DType type, long length) {
    Span span = arena.allocate(type, length).span();
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextGaussian());
    }
    return span;
  }

  /** An output amid sentinels, at an address that no vector is aligned to. */
  private Span output(long length) {
    Span all = arena.allocate(DType.F32, length + 2 * MARGIN + 1).span();
    for (long i = 0; i < all.length(); i++) {
      all.set(i, SENTINEL);
    }
    return all.slice(MARGIN + 1, length);
  }

  private static void assertSentinels(Span output, String what) {
    Span all = output.storage().span();
    for (long i = 0; i < all.length(); i++) {
      if (i < output.offset() || i >= output.offset() + output.length()) {
        assertThat(all.get(i))
            .as("%s: element %d outside the output", what, i - output.offset())
            .isEqualTo(SENTINEL);
      }
    }
  }

  private static float[] floats(Span span) {
    float[] values = new float[(int) span.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) span.get(i);
    }
    return values;
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
    Span a = integers(DType.F32, (long) m * k);
    Span b = integers(type, (long) k * n);
    Span c = output((long) m * n);
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
          Span x = integers(DType.F32, (long) m * k);
          Span w = integers(type, (long) n * k);
          Span bias = biased ? integers(DType.F32, n) : null;
          Span y = output((long) m * n);
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
    Span none = arena.allocate(DType.F32, 1).span().slice(0, 0);
    for (int m : new int[] {1, 20}) {
      Span bias = integers(DType.F32, 5);
      Span y = output(m * 5L);
      kernels.linear(none, none, bias, y, m, 5, 0);
      Span c = output(m * 5L);
      kernels.gemm(false, false, m, 5, 0, none, none, c, false);
      Span kept = output(m * 5L);
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
        Span x = gaussians(DType.F32, (long) s[0] * s[2]);
        Span w = gaussians(type, (long) s[1] * s[2]);
        Span y = output((long) s[0] * s[1]);
        Span c = output((long) s[0] * s[1]);
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
  void aRowOfLinearHasTheSameBitsAloneAndInABatch(Kernels kernels) {
    for (int[] s : new int[][] {{65, 192}, {40, 100}, {300, 577}, {33, 7}}) {
      for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
        int n = s[0];
        int k = s[1];
        Span x = gaussians(DType.F32, (long) Kernels.ROW_STABLE * k);
        Span w = gaussians(type, (long) n * k);
        Span bias = gaussians(DType.F32, n);
        List<float[]> alone = new ArrayList<>();
        for (int i = 0; i < Kernels.ROW_STABLE; i++) {
          Span y = output(n);
          kernels.linear(x.slice((long) i * k, k), w, bias, y, 1, n, k);
          alone.add(floats(y));
        }
        for (int m = 1; m <= Kernels.ROW_STABLE; m++) {
          Span y = output((long) m * n);
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
      Span a = gaussians(DType.F32, (long) s[0] * s[2]);
      Span b = gaussians(DType.F32, (long) s[1] * s[2]);
      Span c = output((long) s[0] * s[1]);
      Span reference = output((long) s[0] * s[1]);
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
    Span a = gaussians(DType.F32, (long) m * k);
    Span b = gaussians(DType.F32, (long) n * k);
    Span whole = output((long) m * n);
    kernels.gemm(false, true, m, n, k, a, b, whole, false);
    for (int[] part : new int[][] {{0, 1, 0, 1}, {3, 20, 5, 61}, {69, 1, 0, 90}, {8, 62, 89, 1}}) {
      Span c = output((long) part[1] * part[3]);
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

  @ParameterizedTest
  @MethodSource("kernels")
  void callersMayBeManyThreadsAndAlsoTheWorkersOfARegion(Kernels kernels) throws Exception {
    int m = 40;
    int n = 70;
    int k = 130;
    Span x = gaussians(DType.F32, (long) m * k);
    Span w = gaussians(DType.F16, (long) n * k);
    Span expected = output((long) m * n);
    kernels.linear(x, w, null, expected, m, n, k);
    Callable<float[]> call =
        () -> {
          Span y = output((long) m * n);
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
      Span y = output(3L * m * n);
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
  void everyPatternOf16BitsIsWidenedExactly(Kernels kernels) {
    int count = 1 << 16;
    for (DType type : List.of(DType.BF16, DType.F16)) {
      Span w = arena.allocate(type, count).span();
      Span one = arena.allocate(DType.F32, 20).span();
      for (int i = 0; i < count; i++) {
        w.segment().set(JAVA_SHORT_UNALIGNED, 2L * i, (short) i);
      }
      for (int i = 0; i < 20; i++) {
        one.set(i, 1);
      }
      for (int m : new int[] {1, 2, 20}) {
        Span y = output((long) m * count);
        kernels.linear(one, w, null, y, m, count, 1);
        float[] expected = floats(w);
        for (int i = 0; i < count; i++) {
          expected[i] += 0f; // -0 becomes 0, as in a sum
        }
        assertThat(floats(y.slice((long) (m - 1) * count, count)))
            .as("%s, m %d", type, m)
            .isEqualTo(expected);
      }
    }
  }

  /**
   * Rows of the unit matrix pick single weights out of full vectors; only finite ones, since 0
   * times infinity is NaN.
   */
  @ParameterizedTest
  @MethodSource("kernels")
  void everyFiniteWeightOf16BitsComesThroughFullVectors(Kernels kernels) {
    int k = 64;
    int n = (1 << 16) / k;
    Span unit = arena.allocate(DType.F32, (long) k * k).span();
    for (int i = 0; i < k; i++) {
      unit.set((long) i * k + i, 1);
    }
    for (DType type : List.of(DType.BF16, DType.F16)) {
      Span w = arena.allocate(type, (long) n * k).span();
      for (int i = 0; i < n * k; i++) {
        w.segment().set(JAVA_SHORT_UNALIGNED, 2L * i, (short) i);
        if (!Double.isFinite(w.get(i))) {
          w.set(i, 1);
        }
      }
      for (int m : new int[] {1, 16, 64}) {
        for (int first = 0; first < k; first += m) {
          Span y = output((long) m * n);
          kernels.linear(unit.slice((long) first * k, (long) m * k), w, null, y, m, n, k);
          float[] expected = new float[m * n];
          for (int i = 0; i < m * n; i++) {
            expected[i] = (float) w.get((long) (i % n) * k + first + i / n) + 0f;
          }
          assertThat(floats(y)).as("%s, m %d, row %d", type, m, first).isEqualTo(expected);
        }
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
      Span a = gaussians(DType.F32, Math.max(1, 2L * k));
      Span b = gaussians(DType.F32, Math.max(1, (long) k * n));
      for (boolean accumulate : new boolean[] {false, true}) {
        Span two = gaussians(DType.F32, 2L * n);
        Span one = output(n);
        kernels.copy(two.slice(0, n), one);
        kernels.gemm(false, false, 2, n, k, a, b, two, accumulate);
        kernels.gemm(false, false, 1, n, k, a, b, one, accumulate);
        String what = "n " + n + " k " + k + " accumulate " + accumulate;
        assertThat(floats(one)).as(what).isEqualTo(floats(two.slice(0, n)));
        assertSentinels(one, what);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void shortSpansAreRefusedWithBothLengths(Kernels kernels) {
    Span a = integers(DType.F32, 6);
    Span b = integers(DType.F32, 12);
    Span c = output(7);
    assertThatThrownBy(() -> kernels.gemm(false, false, 2, 4, 3, a, b, c, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("7")
        .hasMessageContaining("8");
    assertSentinels(c, "refused product");
    assertThat(c.get(0)).isEqualTo(SENTINEL);
  }
}

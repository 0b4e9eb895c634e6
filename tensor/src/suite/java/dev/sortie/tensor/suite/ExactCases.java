package dev.sortie.tensor.suite;

import static dev.sortie.tensor.dtype.DType.BF16;
import static dev.sortie.tensor.dtype.DType.F16;
import static dev.sortie.tensor.dtype.DType.F32;
import static dev.sortie.tensor.dtype.DType.I32;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Calls whose results are exact, so that every kernel set and every number of threads must give the
 * same bits. Inputs are small integers: products and sums have no rounding in F32. Functions of the
 * exponential are exact where scores differ by 1024 or not at all: {@code exp} is then 0 or 1, a
 * softmax is one-hot, a log-sum-exp is the maximum.
 *
 * <p>Each size that vectors run along takes every value from 0 (or 1) to three vectors, alone and
 * after so many elements that four threads share them.
 */
public final class ExactCases {
  /** Eight blocks of 4096 elements with any tail of up to 48: four threads have two each. */
  private static final int SHARED = 8 * 4096 - 48;

  /** Elements that row kernels share among four threads. */
  private static final int ROWS_SHARED = 45_000;

  private static final int GAP = 1024;

  private final List<KernelCase> cases = new ArrayList<>();

  private ExactCases() {}

  /** Cases for vectors of {@code lanes} floats, made one tail at a time: all would fill a heap. */
  public static Stream<KernelCase> all(int lanes) {
    return IntStream.rangeClosed(0, 3 * lanes).boxed().flatMap(ExactCases::ofTail);
  }

  private static Stream<KernelCase> ofTail(int t) {
    ExactCases c = new ExactCases();
    c.elementwise(t);
    c.elementwise(SHARED + t);
    c.copies(t);
    c.copies(SHARED + t);
    if (t > 0) {
      c.rows(3, t);
      c.rows(Math.min(4500, ROWS_SHARED / t), t);
      c.rows(200, 4 * 64 - 48 + t);
      c.oneHot(3, t);
      c.oneHot(900, t);
      c.oneHot(2, 9000 + t);
      c.strided(t);
      c.linear(t);
      c.gemm(t);
      c.attention(t);
      c.rope(2 * t);
    }
    return c.cases.stream();
  }

  private static KernelCase.Builder integers(long seed) {
    return new KernelCase.Builder(seed, true);
  }

  private void add(KernelCase.Builder builder, String name, KernelCase.Call call) {
    cases.add(builder.call(name, 0, call));
  }

  /** Operands of values that {@code value} gives for each index. */
  private static double[] values(int count, IntToDoubleFunction value) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = value.applyAsDouble(i);
    }
    return values;
  }

  private void elementwise(int n) {
    add(
        integers(1).f32(n).f32(n).f32(n).f32(n).f32(n).f32(n).f32(n).f32(n).f32(2),
        "fill, add, mul, mulAdd, scale, axpy, addScalar, sum, sumSquares " + n,
        (k, s) -> {
          k.add(s[0], s[1], s[2]);
          k.mul(s[0], s[1], s[3]);
          k.mulAdd(s[0], s[1], s[4]);
          k.scale(-0.5, s[0], s[5]);
          k.axpy(-2, s[0], s[6]);
          k.addScalar(7, s[6]);
          k.fill(s[7], 2.5);
          s[8].set(0, k.sum(s[0]));
          s[8].set(1, k.sumSquares(s[1]));
        });
  }

  private void copies(int n) {
    for (DType from : new DType[] {F32, BF16, F16, I32}) {
      add(
          integers(2).add(from, n).add(F32, n).add(BF16, n).add(F16, n).add(I32, n),
          "copy " + from + " " + n,
          (k, s) -> {
            for (int to = 1; to < 5; to++) {
              k.copy(s[0], s[to]);
            }
          });
    }
  }

  private void rows(int r, int c) {
    String size = " " + r + "x" + c;
    int n = r * c;
    int vocabulary = 5;
    add(integers(3).f32(n).f32(c), "sumRows" + size, (k, s) -> k.sumRows(s[0], s[1], r, c));
    add(
        integers(4)
            .add(F32, vocabulary * c)
            .add(BF16, vocabulary * c)
            .add(F16, vocabulary * c)
            .ids(r, 0, vocabulary)
            .f32(n)
            .f32(n)
            .f32(n),
        "gatherRows" + size,
        (k, s) -> {
          for (int table = 0; table < 3; table++) {
            k.gatherRows(s[table], s[3], s[4 + table], r, c);
          }
        });
    add(
        integers(5).f32(n).ids(r, 0, vocabulary).f32(vocabulary * c),
        "scatterAddRows" + size,
        (k, s) -> k.scatterAddRows(s[0], s[1], s[2], r, c));
  }

  /** Logits that are multiples of 1024, all different within a row. */
  private static double[] apart(int r, int c, int seed) {
    int step = c % 7 == 0 ? 11 : 7; // coprime to c, or else values would repeat
    int safe = c % step == 0 ? 1 : step;
    return values(r * c, i -> GAP * ((long) (i % c) * safe + i / c * 3L + seed) % ((long) GAP * c));
  }

  private void oneHot(int r, int c) {
    String size = " " + r + "x" + c;
    int n = r * c;
    add(
        integers(6).values(F32, apart(r, c, 1)).f32(n).values(I32, new double[r]).f32(r),
        "one-hot softmax, argmax" + size,
        (k, s) -> {
          k.softmax(s[0], s[1], r, c);
          k.argmax(s[0], s[2], s[3], r, c);
        });
    add(
        integers(7).values(F32, apart(r, c, 2)).ids(r, -1, c).f32(r).f32(r).f32(r).f32(n),
        "one-hot crossEntropy" + size,
        (k, s) -> {
          k.crossEntropy(s[0], s[1], s[2], s[3], r, c);
          k.crossEntropyBackward(s[0], s[1], s[3], s[4], s[5], r, c);
        });
    add(
        integers(8)
            .values(F32, apart(r, c, 3))
            .values(F32, apart(r, c, 5))
            .f32(r)
            .f32(r)
            .f32(r)
            .f32(r)
            .f32(n),
        "one-hot kl" + size,
        (k, s) -> {
          k.kl(s[0], s[1], s[2], s[3], s[4], r, c);
          k.klBackward(s[0], s[1], s[3], s[4], s[5], s[6], r, c);
        });
  }

  private void strided(int t) {
    Strided[] views = {
      new Strided(new long[] {400, t}, new long[] {t + 5, 1}), // rows with gaps
      new Strided(new long[] {t, 400}, new long[] {1, t}), // transposed
      new Strided(new long[] {400, t}, new long[] {1, 400}),
      new Strided(new long[] {40, 9, t}, new long[] {t, 40L * t, 1}), // heads and tokens swapped
      new Strided(new long[] {40, t}, new long[] {0, 1}), // repeated
      new Strided(new long[] {t, 40}, new long[] {1, 0})
    };
    for (Strided view : views) {
      int count = (int) view.count();
      int base = 1;
      for (int d = 0; d < view.shape().length; d++) {
        base += (int) ((view.shape()[d] - 1) * view.strides()[d]);
      }
      add(
          integers(9).add(F32, base).f32(count).add(BF16, base).add(BF16, count).f32(base),
          "copyStrided, addStrided " + view,
          (k, s) -> {
            k.copyStrided(s[0], view, s[1]);
            k.copyStrided(s[2], view, s[3]);
            k.addStrided(s[1], s[4], view);
          });
    }
  }

  private void linear(int t) {
    for (DType w : new DType[] {F32, BF16, F16}) {
      for (int m : w == F32 ? new int[] {1, 2, 3, 4, 7, 8, 16, 20} : new int[] {1, 4, 20}) {
        linear(w, m, 37, t);
        linear(w, m, t, 24);
      }
      linear(w, 1, 1100, t);
      linear(w, 4, 700 + t, 64);
    }
  }

  private void linear(DType type, int m, int n, int k) {
    add(
        integers(10).f32(m * k).add(type, n * k).f32(n).f32(m * n).f32(m * n),
        "linear " + type + " m " + m + " n " + n + " k " + k,
        (kernels, s) -> {
          kernels.linear(s[0], s[1], s[2], s[3], m, n, k);
          kernels.linear(s[0], s[1], null, s[4], m, n, k);
        });
  }

  private void gemm(int t) {
    int[][] sizes = {{t, 33, 40}, {33, t, 40}, {40, 33, t}, {64 + t, 66, 68}, {66, 64 + t, 68}};
    for (int[] s : sizes) {
      gemm(F32, s[0], s[1], s[2]);
    }
    gemm(BF16, 64, 64 + t, 66);
    gemm(F16, 64, 66, 64 + t);
  }

  private void gemm(DType type, int m, int n, int k) {
    KernelCase.Builder b = integers(11).f32(m * k).add(type, k * n);
    for (int mode = 0; mode < 4; mode++) {
      b.f32(m * n);
    }
    add(
        b,
        "gemm " + type + " m " + m + " n " + n + " k " + k,
        (kernels, s) -> {
          for (int mode = 0; mode < 4; mode++) {
            boolean transA = mode % 2 == 1;
            boolean transB = mode / 2 == 1;
            kernels.gemm(transA, transB, m, n, k, s[0], s[1], s[2 + mode], mode == 3);
            kernels.gemm(transA, transB, m, n, k, s[0], s[1], s[2 + mode], true);
          }
        });
  }

  private void attention(int t) {
    attention(new AttentionShape(1, 1, 37, 4, 2, t, 1), F32);
    attention(new AttentionShape(2, 20, 33, 4, 2, t, 1), F32);
    attention(new AttentionShape(2, 1, t, 4, 4, 24, 1), BF16);
    attention(new AttentionShape(1, t, t, 4, 1, 16, 1), F32);
    attention(new AttentionShape(1, 3, t + 2, 6, 2, 20, 1), BF16);
    attention(new AttentionShape(1, 3, 37, 6, 2, t, 1, 7), F32);
    attention(new AttentionShape(1, t + 20, t + 20, 4, 2, 24, 1, 9), F32);
  }

  /**
   * The first element of a key is a multiple of 1024 of its own (exact in BF16 too), that of a
   * query is 1 and its others are 0; so each query takes the value of one key that it sees.
   */
  private void attention(AttentionShape a, DType cache) {
    int d = a.headSize();
    int rows = a.batch() * a.heads() * a.queries();
    int keys = a.batch() * a.keys() * a.kvHeads();
    int perToken = a.kvHeads();
    double[] q = values(rows * d, i -> i % d == 0 ? 1 : 0);
    double[] k =
        values(
            keys * d,
            i -> {
              int token = i / d / perToken % a.keys();
              return i % d == 0 ? GAP * (token * 7 % 101) : i % 5 - 2;
            });
    add(
        integers(12)
            .values(F32, q)
            .values(cache, k)
            .add(cache, keys * d)
            .f32(rows * d)
            .f32(rows)
            .f32(rows * d)
            .f32(rows * d)
            .f32(keys * d)
            .f32(keys * d),
        "attention to one key " + cache + " " + a,
        (kernels, s) -> {
          kernels.attention(s[0], s[1], s[2], s[3], s[4], a);
          kernels.attentionBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], a);
        });
  }

  /** Angles of whole quarter turns. */
  private void rope(int rotary) {
    for (boolean interleaved : new boolean[] {false, true}) {
      RopeShape shape = new RopeShape(2, 60, 4, rotary + 3, rotary, 1, interleaved);
      int n = 2 * 60 * 4 * (rotary + 3);
      int angles = 61 * rotary / 2;
      add(
          integers(13)
              .f32(n)
              .values(F32, values(angles, i -> (i % 4 == 1 || i % 4 == 3) ? 0 : 1 - i % 4))
              .values(F32, values(angles, i -> i % 4 % 2 == 0 ? 0 : 2 - i % 4))
              .f32(n)
              .f32(n),
          "rope by quarter turns " + shape,
          (k, s) -> {
            k.rope(s[0], s[1], s[2], s[3], shape, false);
            k.rope(s[0], s[1], s[2], s[4], shape, true);
          });
    }
  }
}

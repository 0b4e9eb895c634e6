package dev.sortie.tensor.suite;

import static dev.sortie.tensor.dtype.DType.BF16;
import static dev.sortie.tensor.dtype.DType.F16;
import static dev.sortie.tensor.dtype.DType.F32;
import static dev.sortie.tensor.dtype.DType.I32;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AdamWCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import java.util.ArrayList;
import java.util.List;

/**
 * The calls that every kernel set must get right. Sizes straddle vectors of 4, 8 and 16 lanes, the
 * block of 4096 elements and the size from which threads share.
 *
 * <p>Tolerances are shares of the largest result: 0 for sums of small integers; 1e-6 where an
 * element is a few roundings away; 1e-5 for sums of up to some thousand terms in F32, and four
 * times that where such sums follow each other, in the backward pass of attention.
 */
public final class KernelCases {
  private static final int[] LENGTHS = {1, 3, 17, 33, 100, 4096, 30_011};
  private static final int[][] MATRICES = {
    {1, 1}, {3, 17}, {2, 33}, {5, 100}, {70, 1030}, {2, 9001}
  };

  /** Three vectors of 512 bits. */
  private static final int LONGEST_TAIL = 48;

  private static final double FEW = 1e-6;
  private static final double MANY = 1e-5;

  private final List<KernelCase> cases = new ArrayList<>();

  private KernelCases() {}

  /** All of them. */
  public static List<KernelCase> all() {
    KernelCases c = new KernelCases();
    for (int n : LENGTHS) {
      c.elementwise(n);
      c.dropout(n);
      c.conversions(n);
      c.activations(n);
    }
    for (int tail = 1; tail <= LONGEST_TAIL; tail++) {
      c.elementwise(tail);
      c.dropout(tail);
      c.activations(tail);
      c.norms(3, tail);
      c.losses(3, tail);
    }
    for (int[] m : MATRICES) {
      c.norms(m[0], m[1]);
      c.embedding(m[0], m[1]);
      c.losses(m[0], m[1]);
    }
    c.manyTensors();
    c.strided();
    c.rope();
    c.attention();
    return c.cases;
  }

  private static KernelCase.Builder floats(long seed) {
    return new KernelCase.Builder(seed, false);
  }

  private static KernelCase.Builder integers(long seed) {
    return new KernelCase.Builder(seed, true);
  }

  private void add(
      KernelCase.Builder builder, String name, double tolerance, KernelCase.Call call) {
    cases.add(builder.call(name, tolerance, call));
  }

  private void elementwise(int n) {
    add(floats(1).f32(n), "fill " + n, 0, (k, s) -> k.fill(s[0], 2.5));
    add(floats(1).add(BF16, n), "fill bf16 " + n, 0, (k, s) -> k.fill(s[0], 2.5));
    add(integers(2).f32(n).f32(n).f32(n), "add " + n, 0, (k, s) -> k.add(s[0], s[1], s[2]));
    add(integers(2).f32(n).f32(n), "add in place " + n, 0, (k, s) -> k.add(s[0], s[1], s[1]));
    add(integers(3).f32(n).f32(n).f32(n), "mul " + n, 0, (k, s) -> k.mul(s[0], s[1], s[2]));
    add(integers(3).f32(n).f32(n), "mul in place " + n, 0, (k, s) -> k.mul(s[0], s[1], s[0]));
    add(integers(4).f32(n).f32(n).f32(n), "mulAdd " + n, 0, (k, s) -> k.mulAdd(s[0], s[1], s[2]));
    add(integers(5).f32(n).f32(n), "scale " + n, 0, (k, s) -> k.scale(-0.5, s[0], s[1]));
    add(integers(5).f32(n), "scale in place " + n, 0, (k, s) -> k.scale(3, s[0], s[0]));
    add(integers(6).f32(n).f32(n), "axpy " + n, 0, (k, s) -> k.axpy(-2, s[0], s[1]));
    add(integers(6).f32(n), "addScalar " + n, 0, (k, s) -> k.addScalar(7, s[0]));
    add(integers(7).f32(n).f32(1), "sum " + n, 0, (k, s) -> s[1].set(0, k.sum(s[0])));
    add(integers(8).f32(n).f32(1), "sumSquares " + n, 0, (k, s) -> s[1].set(0, k.sumSquares(s[0])));
    add(floats(7).f32(n).f32(1), "sum of floats " + n, FEW, (k, s) -> s[1].set(0, k.sum(s[0])));
    AdamWCall step = new AdamWCall(1e-2, 0.9, 0.95, 1e-8, 0.1, 0.1, 0.05, 0.5);
    add(
        floats(9).f32(n).f32(n).f32(n).f32(n),
        "adamW " + n,
        FEW,
        (k, s) -> {
          k.mul(s[3], s[3], s[3]);
          k.adamW(List.of(new AdamWCall.Update(s[0], s[1], s[2], s[3], step)));
        });
  }

  /** From numbers of elements that need one word of a counter, and from others that need two. */
  private void dropout(int n) {
    for (long first : new long[] {0, 3, (1L << 34) - 6, 1L << 50}) {
      DropoutMask mask = new DropoutMask(-3, 77L << 40, 3 * DropoutMask.PARTS / 4, first);
      String from = n + " from " + first;
      add(integers(4).f32(n).f32(n), "dropout " + from, 0, (k, s) -> k.dropout(mask, s[0], s[1]));
      add(integers(5).f32(n), "dropout in place " + from, 0, (k, s) -> k.dropout(mask, s[0], s[0]));
      add(
          integers(6).f32(n).f32(n),
          "dropoutAdd " + from,
          0,
          (k, s) -> k.dropoutAdd(mask, s[0], s[1]));
    }
  }

  private void manyTensors() {
    AdamWCall decayed = new AdamWCall(1e-2, 0.9, 0.95, 1e-8, 0.1, 0.1, 0.05, 0.5);
    AdamWCall other = new AdamWCall(3e-2, 0.9, 0.95, 1e-8, 0, 0.1, 0.05, 0.5);
    KernelCase.Builder b = floats(14);
    for (int n : new int[] {5, 9001, 4096, 300, 1, 20_000}) {
      b.f32(n).f32(n).f32(n).f32(n);
    }
    add(
        b,
        "adamW of several tensors",
        FEW,
        (k, s) -> {
          List<AdamWCall.Update> updates = new ArrayList<>();
          for (int i = 0; i < s.length; i += 4) {
            k.mul(s[i + 3], s[i + 3], s[i + 3]);
            AdamWCall step = i % 8 == 0 ? decayed : other;
            updates.add(new AdamWCall.Update(s[i], s[i + 1], s[i + 2], s[i + 3], step));
          }
          k.adamW(updates);
        });
    add(
        integers(15).f32(7).f32(9001).f32(4096).f32(2).f32(1),
        "sumSquares of several tensors",
        0,
        (k, s) -> s[4].set(0, k.sumSquares(List.of(s[0], s[1], s[2], s[3]))));
  }

  private void conversions(int n) {
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        if (plain(from) && plain(to)) {
          KernelCase.Builder b = from == I32 ? integers(n) : floats(n);
          add(
              b.add(from, n).add(to, n),
              "copy " + from + " to " + to + " " + n,
              0,
              (k, s) -> k.copy(s[0], s[1]));
        }
      }
    }
  }

  private static boolean plain(DType type) {
    return type != DType.F64 && !type.isQuantised();
  }

  private void activations(int n) {
    add(floats(10).f32(n).f32(n).f32(n), "swiglu " + n, FEW, (k, s) -> k.swiglu(s[0], s[1], s[2]));
    add(
        floats(10).f32(n).f32(n),
        "swiglu in place " + n,
        FEW,
        (k, s) -> k.swiglu(s[0], s[1], s[0]));
    add(
        floats(11).f32(n).f32(n).f32(n).f32(n).f32(n),
        "swigluBackward " + n,
        FEW,
        (k, s) -> k.swigluBackward(s[0], s[1], s[2], s[3], s[4]));
    for (boolean tanh : new boolean[] {false, true}) {
      add(
          floats(12).f32(n).f32(n),
          "gelu " + tanh + " " + n,
          FEW,
          (k, s) -> k.gelu(s[0], s[1], tanh));
      add(
          floats(13).f32(n).f32(n).f32(n),
          "geluBackward " + tanh + " " + n,
          FEW,
          (k, s) -> k.geluBackward(s[0], s[1], s[2], tanh));
    }
  }

  private void norms(int r, int c) {
    String size = " " + r + "x" + c;
    int n = r * c;
    add(integers(19).f32(n).f32(c), "sumRows" + size, 0, (k, s) -> k.sumRows(s[0], s[1], r, c));
    add(
        floats(20).f32(n).f32(c).f32(n).f32(r),
        "rmsNorm" + size,
        MANY,
        (k, s) -> k.rmsNorm(s[0], s[1], 1e-5, s[2], s[3], r, c));
    add(
        floats(21).f32(n).f32(c).f32(r).f32(n).f32(n).f32(c),
        "rmsNormBackward" + size,
        MANY,
        (k, s) -> k.rmsNormBackward(s[0], s[1], s[2], s[3], s[4], s[5], r, c));
    add(
        floats(21).f32(n).f32(c).f32(r).f32(n).f32(n).missing(),
        "rmsNormBackward without dw" + size,
        MANY,
        (k, s) -> k.rmsNormBackward(s[0], s[1], s[2], s[3], s[4], s[5], r, c));
    for (boolean bias : new boolean[] {true, false}) {
      KernelCase.Builder b = floats(22).f32(n).f32(c).f32(n).f32(r).f32(r);
      add(
          bias ? b.f32(c) : b.missing(),
          "layerNorm bias " + bias + size,
          MANY,
          (k, s) -> k.layerNorm(s[0], s[1], s[5], 1e-2, s[2], s[3], s[4], r, c));
    }
    add(
        floats(23).f32(n).f32(c).f32(r).f32(r).f32(n).f32(n).f32(c).f32(c),
        "layerNormBackward" + size,
        MANY,
        (k, s) -> k.layerNormBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], r, c));
    add(
        floats(23).f32(n).f32(c).f32(r).f32(r).f32(n).missing().f32(c).missing(),
        "layerNormBackward of w alone" + size,
        MANY,
        (k, s) -> k.layerNormBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], r, c));
  }

  private void embedding(int r, int c) {
    String size = " " + r + "x" + c;
    int vocabulary = 5;
    for (DType table : new DType[] {F32, BF16, F16}) {
      add(
          floats(24).add(table, vocabulary * c).ids(r, 0, vocabulary).f32(r * c),
          "gatherRows " + table + size,
          0,
          (k, s) -> k.gatherRows(s[0], s[1], s[2], r, c));
    }
    add(
        integers(25).f32(r * c).ids(r, 0, vocabulary).f32(vocabulary * c),
        "scatterAddRows" + size,
        0,
        (k, s) -> k.scatterAddRows(s[0], s[1], s[2], r, c));
  }

  private void losses(int r, int c) {
    String size = " " + r + "x" + c;
    int n = r * c;
    add(floats(30).f32(n).f32(n), "softmax" + size, MANY, (k, s) -> k.softmax(s[0], s[1], r, c));
    add(floats(30).f32(n), "softmax in place" + size, MANY, (k, s) -> k.softmax(s[0], s[0], r, c));
    add(
        floats(31).f32(n).f32(n).f32(n),
        "softmaxBackward" + size,
        MANY,
        (k, s) -> k.softmaxBackward(s[0], s[1], s[2], r, c));
    add(
        floats(32).f32(n).ids(r, -1, c).f32(r).f32(r),
        "crossEntropy" + size,
        FEW,
        (k, s) -> k.crossEntropy(s[0], s[1], s[2], s[3], r, c));
    add(
        floats(33).f32(n).ids(r, -1, c).f32(r).f32(r).f32(n),
        "crossEntropyBackward" + size,
        MANY,
        (k, s) -> k.crossEntropyBackward(s[0], s[1], s[2], s[3], s[4], r, c));
    add(
        floats(34).f32(n).f32(n).f32(r).f32(r).f32(r),
        "kl" + size,
        MANY,
        (k, s) -> k.kl(s[0], s[1], s[2], s[3], s[4], r, c));
    add(
        floats(35).f32(n).f32(n).f32(r).f32(r).f32(r).f32(n),
        "klBackward" + size,
        MANY,
        (k, s) -> k.klBackward(s[0], s[1], s[2], s[3], s[4], s[5], r, c));
    for (boolean confident : new boolean[] {false, true}) {
      String how = size + (confident ? " confident" : "");
      add(
          floats(37).f32(n).ids(r, -1, c).f32(r).f32(r),
          "crossEntropyGradient" + how,
          MANY,
          (k, s) -> k.crossEntropyGradient(s[0], s[1], s[2], s[3], r, c, confident));
      add(
          floats(38).f32(n).f32(n).f32(n).f32(r).f32(r),
          "klGradient" + how,
          MANY,
          (k, s) -> {
            k.logSoftmax(s[1], s[2], r, c);
            k.klGradient(s[0], s[1], s[2], s[3], s[4], r, c, confident);
          });
    }
    add(
        floats(39).f32(n).f32(n),
        "logSoftmax" + size,
        MANY,
        (k, s) -> k.logSoftmax(s[0], s[1], r, c));
    add(
        integers(36).f32(n).ids(r, 0, 9).f32(r),
        "argmax with equals" + size,
        FEW,
        (k, s) -> k.argmax(s[0], s[1], s[2], r, c));
  }

  private void strided() {
    Strided[] views = {
      new Strided(new long[] {}, new long[] {}),
      new Strided(new long[] {7}, new long[] {3}),
      new Strided(new long[] {40, 33}, new long[] {0, 1}),
      new Strided(new long[] {3, 40, 33}, new long[] {0, 0, 1}),
      new Strided(new long[] {2, 5, 33}, new long[] {33, 0, 1}),
      new Strided(new long[] {33, 17}, new long[] {1, 33}),
      new Strided(new long[] {33, 17}, new long[] {1, 0}),
      new Strided(new long[] {2, 3, 50, 80}, new long[] {12000, 80, 240, 1}),
      new Strided(new long[] {1, 9, 1, 4}, new long[] {5, 8, 77, 1}),
      new Strided(new long[] {400, 100}, new long[] {120, 1}),
      new Strided(new long[] {6, 4}, new long[] {2, 1}),
    };
    for (Strided view : views) {
      int count = (int) view.count();
      long last = 0;
      for (int d = 0; d < view.shape().length; d++) {
        last += (view.shape()[d] - 1) * view.strides()[d];
      }
      int base = (int) last + 1;
      for (DType dtype : new DType[] {F32, BF16, I32}) {
        add(
            integers(40).add(dtype, base).add(dtype, count),
            "copyStrided " + dtype + " " + view,
            0,
            (k, s) -> k.copyStrided(s[0], view, s[1]));
      }
      add(
          integers(41).f32(count).f32(base),
          "addStrided " + view,
          0,
          (k, s) -> k.addStrided(s[0], s[1], view));
    }
  }

  private void rope() {
    for (int[] size : new int[][] {{8, 8}, {20, 20}, {32, 32}, {64, 64}, {80, 40}, {128, 128}}) {
      for (boolean interleaved : new boolean[] {false, true}) {
        for (boolean inverse : new boolean[] {false, true}) {
          RopeShape shape = new RopeShape(2, 9, 3, size[0], size[1], 4, interleaved);
          int n = 2 * 9 * 3 * size[0];
          int angles = 13 * size[1] / 2;
          String name = shape + (inverse ? " inverse" : "");
          add(
              integers(50).f32(n).f32(angles).f32(angles).f32(n),
              name,
              0,
              (k, s) -> k.rope(s[0], s[1], s[2], s[3], shape, inverse));
          add(
              integers(51).f32(n).f32(angles).f32(angles),
              name + " in place",
              0,
              (k, s) -> k.rope(s[0], s[1], s[2], s[0], shape, inverse));
        }
      }
    }
  }

  private void attention() {
    for (int d : new int[] {1, 8, 20, 32, 64, 80, 128}) {
      attention(new AttentionShape(2, 1, 1, 2, 2, d, 0.3), F32);
      attention(new AttentionShape(2, 1, 37, 6, 2, d, 0.2), F32);
      attention(new AttentionShape(1, 7, 19, 3, 3, d, 0.2), F32);
      attention(new AttentionShape(1, 16, 16, 4, 1, d, 0.2), BF16);
      attention(new AttentionShape(2, 17, 17, 3, 1, d, 0.2), F32);
      attention(new AttentionShape(1, 33, 70, 4, 2, d, 0.2), BF16);
    }
    attention(new AttentionShape(1, 301, 301, 3, 1, 32, 0.2), F32);
    // enough for two threads in the backward pass of a zero token, which divides kv heads
    attention(new AttentionShape(1, 300, 300, 4, 2, 64, 0.2), F32);
    for (int window : new int[] {1, 5, 16, 130, 299}) {
      attention(new AttentionShape(2, 1, 300, 6, 2, 20, 0.2, window), F32);
      attention(new AttentionShape(1, 7, 160, 3, 3, 32, 0.2, window), BF16);
      attention(new AttentionShape(1, 300, 300, 4, 2, 20, 0.2, window), F32);
      attention(new AttentionShape(1, 40, 300, 3, 1, 64, 0.2, window), BF16);
    }
  }

  private void attention(AttentionShape a, DType cache) {
    int queries = a.batch() * a.queries() * a.heads() * a.headSize();
    int keys = a.batch() * a.keys() * a.kvHeads() * a.headSize();
    int rows = a.batch() * a.heads() * a.queries();
    add(
        floats(60).f32(queries).add(cache, keys).add(cache, keys).f32(queries).f32(rows),
        "attention " + cache + " " + a,
        MANY,
        (k, s) -> k.attention(s[0], s[1], s[2], s[3], s[4], a));
    if (a.keys() == 1 || a.window() == 1) {
      return; // dq and dk are 0 but for roundings, which have no scale to compare them by
    }
    add(
        floats(61)
            .f32(queries)
            .add(cache, keys)
            .add(cache, keys)
            .f32(queries)
            .f32(rows)
            .f32(queries)
            .f32(queries)
            .f32(keys)
            .f32(keys),
        "attentionBackward " + cache + " " + a,
        4 * MANY,
        (k, s) -> {
          k.attention(s[0], s[1], s[2], s[3], s[4], a);
          k.attentionBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], a);
        });
    zeroToken(a, cache);
  }

  /** Attention with a zero token, and its backward pass with a gradient of the token's share. */
  private void zeroToken(AttentionShape a, DType cache) {
    int queries = a.batch() * a.queries() * a.heads() * a.headSize();
    int keys = a.batch() * a.keys() * a.kvHeads() * a.headSize();
    int key = a.kvHeads() * a.headSize();
    int rows = a.batch() * a.heads() * a.queries();
    add(
        floats(62)
            .f32(queries)
            .add(cache, keys)
            .add(cache, keys)
            .f32(queries)
            .f32(key)
            .f32(queries)
            .f32(rows)
            .f32(rows),
        "zeroToken " + cache + " " + a,
        MANY,
        (k, s) -> {
          k.attention(s[0], s[1], s[2], s[5], s[6], a);
          k.zeroToken(s[3], s[4], s[5], s[6], s[7], a);
        });
    add(
        floats(63)
            .f32(queries)
            .add(cache, keys)
            .add(cache, keys)
            .f32(queries)
            .f32(key)
            .f32(queries)
            .f32(rows)
            .f32(rows)
            .f32(queries)
            .f32(rows)
            .f32(queries)
            .f32(key)
            .f32(rows)
            .f32(queries)
            .f32(keys)
            .f32(keys),
        "zeroTokenBackward " + cache + " " + a,
        4 * MANY,
        (k, s) -> {
          k.attention(s[0], s[1], s[2], s[5], s[6], a);
          k.zeroToken(s[3], s[4], s[5], s[6], s[7], a);
          k.zeroTokenBackward(s[3], s[4], s[5], s[7], s[8], s[9], s[10], s[11], s[12], a);
          k.attentionBackward(s[0], s[1], s[2], s[5], s[6], s[8], s[12], s[13], s[14], s[15], a);
        });
  }
}

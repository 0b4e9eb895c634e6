package dev.sortie.opencl;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Span;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/** The trial of each kernel, by the name that {@link OpenClKernels} has for it. */
final class KernelTrials {
  /** More than two groups of any preset, and a rest. */
  private static final int MANY = 333;

  private static final int ROWS = Trial.ROWS;
  private static final int COLS = Trial.COLS;

  private static final DropoutMask HALF =
      new DropoutMask(5, -7, DropoutMask.PARTS / 2, (1L << 34) - 6);

  private KernelTrials() {}

  static Trial of(String kernel, Engine engine) {
    DeviceKernels d = new DeviceKernels(engine);
    String[] words = kernel.split(" ");
    return switch (words[0]) {
      case "fill" -> new Trial().f32(MANY).calls(d, (k, s) -> k.fill(s[0], 2.5));
      case "add" -> three().calls(d, (k, s) -> k.add(s[0], s[1], s[2]));
      case "mul" -> three().calls(d, (k, s) -> k.mul(s[0], s[1], s[2]));
      case "mul_add" -> three().calls(d, (k, s) -> k.mulAdd(s[0], s[1], s[2]));
      case "scale" -> three().calls(d, (k, s) -> k.scale(-0.5, s[0], s[1]));
      case "axpy" -> three().calls(d, (k, s) -> k.axpy(-2, s[0], s[1]));
      case "add_scalar" -> three().calls(d, (k, s) -> k.addScalar(7, s[0]));
      case "dropout" -> three().calls(d, (k, s) -> k.dropout(HALF, s[0], s[1]));
      case "dropout_add" -> three().calls(d, (k, s) -> k.dropoutAdd(HALF, s[0], s[1]));
      case "copy_32" -> copy(DType.F32, DType.F32, d);
      case "copy_16" -> copy(DType.BF16, DType.BF16, d);
      case "copy_f32_bf16" -> copy(DType.F32, DType.BF16, d);
      case "copy_bf16_f32" -> copy(DType.BF16, DType.F32, d);
      case "copy_strided" -> strided(d);
      case "swiglu" ->
          new Trial()
              .f32(MANY, i -> 1024 * (i % 3 - 1))
              .f32(MANY)
              .f32(MANY)
              .calls(d, (k, s) -> k.swiglu(s[0], s[1], s[2]));
      case "gelu" ->
          new Trial()
              .f32(MANY, i -> 1024 * (i % 3 - 1))
              .f32(MANY)
              .f32(MANY)
              .rounded()
              .calls(
                  d,
                  (k, s) -> {
                    k.gelu(s[0], s[1], false);
                    k.gelu(s[0], s[2], true);
                  });
      case "rope" -> rope(d);
      case "rms_norm" ->
          new Trial()
              .f32(ROWS * COLS)
              .f32(COLS)
              .f32(ROWS * COLS)
              .f32(ROWS)
              .rounded()
              .calls(d, (k, s) -> k.rmsNorm(s[0], s[1], 1, s[2], s[3], ROWS, COLS));
      case "layer_norm" ->
          new Trial()
              .f32(ROWS * COLS)
              .f32(COLS)
              .f32(COLS)
              .f32(ROWS * COLS)
              .f32(ROWS)
              .f32(ROWS)
              .rounded()
              .calls(d, (k, s) -> k.layerNorm(s[0], s[1], s[2], 1, s[3], s[4], s[5], ROWS, COLS));
      case "softmax" ->
          Trial.apart().f32(ROWS * COLS).calls(d, (k, s) -> k.softmax(s[0], s[1], ROWS, COLS));
      case "argmax" ->
          Trial.apart()
              .operand(DType.I32, ROWS, i -> -1)
              .f32(ROWS)
              .calls(d, (k, s) -> k.argmax(s[0], s[1], s[2], ROWS, COLS));
      case "attention" -> attention(words.length > 1, d);
      case "attention_runs" -> runs(words.length > 1, d);
      case "zero_token" -> zeroToken(d);
      case "gemv" -> gemv(DType.valueOf(words[1]), d);
      case "gather" -> gather(DType.valueOf(words[1]), d);
      case "gemm" -> gemm(words[1].equals("NT"), DType.valueOf(words[2]), d);
      default -> GradientTrials.of(kernel, d);
    };
  }

  private static Trial zeroToken(DeviceKernels d) {
    AttentionShape a = Trial.ATTENTION;
    int queries = Math.toIntExact(a.queryElements());
    int rows = Math.toIntExact(a.rows());
    return new Trial()
        .f32(queries)
        .f32(a.kvHeads() * a.headSize())
        .f32(queries, i -> Trial.scattered(i + 5))
        .f32(rows, i -> i % 7)
        .f32(rows)
        .rounded()
        .calls(d, (k, s) -> k.zeroToken(s[0], s[1], s[2], s[3], s[4], a));
  }

  private static Trial three() {
    return new Trial().f32(MANY).f32(MANY, i -> i % 5 - 2).f32(MANY, i -> i % 4);
  }

  private static Trial copy(DType from, DType to, DeviceKernels d) {
    return new Trial()
        .operand(from, MANY, Trial::scattered)
        .operand(to, MANY, i -> 0)
        .calls(d, (k, s) -> k.copy(s[0], s[1]));
  }

  private static Trial strided(DeviceKernels d) {
    Strided view = new Strided(new long[] {3, 4, 5, 6}, new long[] {6, 90, 18, 1});
    return new Trial()
        .f32(360)
        .f32(360, i -> 0)
        .calls(d, (k, s) -> k.copyStrided(s[0], view, s[1]));
  }

  /** By quarter turns. */
  private static Trial rope(DeviceKernels d) {
    RopeShape shape = new RopeShape(2, 3, 4, 10, 6, 2, false);
    RopeShape pairs = new RopeShape(2, 3, 4, 10, 6, 2, true);
    int n = 2 * 3 * 4 * 10;
    return new Trial()
        .f32(n)
        .f32(15, i -> new double[] {1, 0, -1, 0}[i % 4])
        .f32(15, i -> new double[] {0, 1, 0, -1}[i % 4])
        .f32(n)
        .f32(n)
        .calls(
            d,
            (k, s) -> {
              k.rope(s[0], s[1], s[2], s[3], shape, false);
              k.rope(s[0], s[1], s[2], s[4], pairs, true);
            });
  }

  /**
   * The first element of a key is a multiple of 1024 of its own, that of a query is 1 and its
   * others are 0: each query takes the value of one key that it sees.
   */
  private static Trial attention(boolean bf16, DeviceKernels d) {
    AttentionShape a = Trial.ATTENTION;
    int size = a.headSize();
    DType cache = bf16 ? DType.BF16 : DType.F32;
    int queries = a.batch() * a.queries() * a.heads();
    int keys = a.batch() * a.keys() * a.kvHeads();
    return new Trial()
        .f32(queries * size, i -> i % size == 0 ? 1 : 0)
        .operand(
            cache,
            keys * size,
            i -> i % size == 0 ? 1024 * (i / size / a.kvHeads() * 5 % 23) : Trial.scattered(i))
        .operand(cache, keys * size, Trial::scattered)
        .f32(queries * size)
        .f32(queries)
        .calls(d, (k, s) -> k.attention(s[0], s[1], s[2], s[3], s[4], a));
  }

  /** The same in places apart and out of order; the third begins before the window does. */
  private static Trial runs(boolean bf16, DeviceKernels d) {
    AttentionShape a = new AttentionShape(1, 3, 21, 4, 2, 20, 1, 17);
    int token = a.kvHeads() * a.headSize();
    DType cache = bf16 ? DType.BF16 : DType.F32;
    int[][] places = {{9, 2}, {0, 3}, {14, 9}, {3, 6}, {12, 1}};
    int queries = a.queries() * a.heads();
    IntToDoubleFunction key =
        i -> i % a.headSize() == 0 ? 1024 * (i / token * 5 % 23) : Trial.scattered(i);
    return new Trial()
        .f32(queries * a.headSize(), i -> i % a.headSize() == 0 ? 1 : 0)
        .operand(cache, 23 * token, key)
        .operand(cache, 23 * token, Trial::scattered)
        .f32(queries * a.headSize())
        .f32(queries)
        .calls(
            d,
            (k, s) ->
                k.attention(s[0], at(places, s[1], token), at(places, s[2], token), s[3], s[4], a));
  }

  private static List<Span> at(int[][] places, Span all, int token) {
    return Arrays.stream(places)
        .map(p -> all.slice((long) p[0] * token, (long) p[1] * token))
        .toList();
  }

  private static Trial gemv(DType type, DeviceKernels d) {
    int m = 3;
    int n = 11;
    int k = row(type);
    return weights(new Trial().f32(m * k), type, n * k)
        .f32(n)
        .f32(m * n)
        .f32(m * n)
        .calls(
            d,
            (r, s) -> {
              r.linear(s[0], s[1], s[2], s[3], m, n, k);
              r.linear(s[0], s[1], null, s[4], m, n, k);
            });
  }

  private static Trial gather(DType type, DeviceKernels d) {
    int cols = row(type);
    return weights(new Trial(), type, ROWS * cols)
        .operand(DType.I32, 7, i -> i * 3 % ROWS)
        .f32(7 * cols)
        .calls(d, (k, s) -> k.gatherRows(s[0], s[1], s[2], 7, cols));
  }

  private static Trial gemm(boolean transB, DType type, DeviceKernels d) {
    // more than a tile in registers of any cut, and a rest; less where rows are whole blocks, for
    // tiles are the same
    int m = type.isQuantised() ? 21 : 45;
    int n = transB ? 2 * m - 15 : row(type);
    int k = transB ? row(type) : 21;
    return weights(new Trial().f32(m * k), type, n * k)
        .f32(n)
        .f32(m * n)
        .f32(m * n)
        .calls(
            d,
            (r, s) -> {
              r.gemm(false, transB, m, n, k, s[0], s[1], s[3], false);
              r.gemm(true, transB, m, n, k, s[0], s[1], s[4], true);
            });
  }

  /** A row length: with a rest after vectors where the type allows it. */
  private static int row(DType type) {
    return type.isQuantised() ? 2 * Math.max(type.block(), 48 / type.block() * type.block()) : 53;
  }

  /**
   * Weights that the type holds as integers: each block has the number from which its encoder
   * derives a scale of 1; those of blocks of 256 are set by {@link Trial}.
   */
  private static Trial weights(Trial trial, DType type, int count) {
    IntToDoubleFunction value =
        switch (type) {
          case Q8_0 -> i -> i % 32 == 5 ? 127 : Trial.scattered(i);
          case Q4_0 -> i -> i % 32 == 5 ? -8 : Trial.scattered(i);
          case Q4_1 -> i -> i % 32 == 5 ? 15 : i % 32 == 6 ? 0 : Trial.scattered(i) + 3;
          default -> Trial::scattered;
        };
    return trial.operand(type, count, value);
  }
}

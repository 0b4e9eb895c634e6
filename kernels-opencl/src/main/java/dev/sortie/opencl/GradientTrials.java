package dev.sortie.opencl;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AdamWCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/** The trials of the kernels that training needs. */
final class GradientTrials {
  private static final int ROWS = Trial.ROWS;
  private static final int COLS = Trial.COLS;
  private static final int ALL = ROWS * COLS;

  private GradientTrials() {}

  static Trial of(String kernel, DeviceKernels d) {
    String[] words = kernel.split(" ");
    return switch (words[0]) {
      case "sum_rows" ->
          new Trial().f32(ALL).f32(COLS).calls(d, (k, s) -> k.sumRows(s[0], s[1], ROWS, COLS));
      case "scatter_add" ->
          new Trial()
              .f32(ALL)
              .operand(DType.I32, ROWS, i -> i % 3)
              .f32(3 * COLS)
              .calls(d, (k, s) -> k.scatterAddRows(s[0], s[1], s[2], ROWS, COLS));
      case "rms_norm_backward" ->
          new Trial()
              .f32(ALL)
              .f32(COLS)
              .f32(ROWS, i -> 0.5)
              .f32(ALL, i -> Trial.scattered(i + 11))
              .f32(ALL)
              .f32(COLS)
              .rounded()
              .calls(
                  d, (k, s) -> k.rmsNormBackward(s[0], s[1], s[2], s[3], s[4], s[5], ROWS, COLS));
      case "layer_norm_backward" ->
          new Trial()
              .f32(ALL)
              .f32(COLS)
              .f32(ROWS, i -> i % 3)
              .f32(ROWS, i -> 0.5)
              .f32(ALL, i -> Trial.scattered(i + 11))
              .f32(ALL)
              .f32(COLS)
              .f32(COLS)
              .rounded()
              .calls(
                  d,
                  (k, s) ->
                      k.layerNormBackward(
                          s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], ROWS, COLS));
      case "gelu_backward" ->
          new Trial()
              .f32(ALL)
              .f32(ALL, i -> i % 5 - 2)
              .f32(ALL)
              .f32(ALL)
              .rounded()
              .calls(
                  d,
                  (k, s) -> {
                    k.geluBackward(s[0], s[1], s[2], false);
                    k.geluBackward(s[0], s[1], s[3], true);
                  });
      case "sums" ->
          new Trial()
              .f32(5000, i -> i % 7 - 2)
              .f32(2)
              .calls(
                  d, (k, s) -> sums(s, k.sum(s[0]), k.sumSquares(List.of(s[0], s[0].slice(0, 9)))));
      case "swiglu_backward" ->
          new Trial()
              .f32(ALL)
              .f32(ALL)
              .f32(ALL)
              .f32(ALL)
              .f32(ALL)
              .rounded()
              .calls(d, (k, s) -> k.swigluBackward(s[0], s[1], s[2], s[3], s[4]));
      case "cross_entropy" ->
          Trial.apart()
              .operand(DType.I32, ROWS, i -> i * 20 - 1)
              .f32(ROWS)
              .f32(ROWS)
              .calls(d, (k, s) -> k.crossEntropy(s[0], s[1], s[2], s[3], ROWS, COLS));
      case "cross_entropy_backward" ->
          Trial.apart()
              .operand(DType.I32, ROWS, i -> i * 20 - 1)
              .f32(ROWS, i -> 1024 * 82)
              .f32(ROWS, i -> i - 2)
              .f32(ALL)
              .calls(d, (k, s) -> k.crossEntropyBackward(s[0], s[1], s[2], s[3], s[4], ROWS, COLS));
      case "cross_entropy_gradient" ->
          Trial.apart()
              .operand(DType.I32, ROWS, i -> i * 20 - 1)
              .f32(ROWS, i -> i - 2)
              .f32(ROWS)
              .calls(d, (k, s) -> k.crossEntropyGradient(s[0], s[1], s[2], s[3], ROWS, COLS, true));
      case "log_softmax" ->
          Trial.apart().f32(ALL).calls(d, (k, s) -> k.logSoftmax(s[0], s[1], ROWS, COLS));
      case "kl_gradient" ->
          Trial.apart()
              .f32(ALL, i -> -(i % 4))
              .f32(ALL, i -> i % 3)
              .f32(ROWS, i -> i - 2)
              .f32(ROWS)
              .rounded()
              .calls(d, (k, s) -> k.klGradient(s[0], s[1], s[2], s[3], s[4], ROWS, COLS, true));
      case "softmax_backward" ->
          new Trial()
              .f32(ALL)
              .f32(ALL, i -> i % 5 - 2)
              .f32(ALL)
              .calls(d, (k, s) -> k.softmaxBackward(s[0], s[1], s[2], ROWS, COLS));
      case "attention_backward" -> attention(words.length > 1, d);
      case "zero_token_backward" -> zeroToken(d);
      case "adamw" -> adamW(d);
      default -> throw new IllegalStateException("kernel " + kernel + " has no trial");
    };
  }

  /** Results that are no operands are put into one. */
  private static void sums(Span[] s, double sum, double squares) {
    s[1].set(0, sum);
    s[1].set(1, squares);
  }

  /** Scores are whole and the log-sum-exps are given, so that all probabilities are 1 or 0. */
  private static Trial attention(boolean bf16, DeviceKernels d) {
    AttentionShape a = Trial.ATTENTION;
    int size = a.headSize();
    DType cache = bf16 ? DType.BF16 : DType.F32;
    int queries = a.batch() * a.queries() * a.heads();
    int keys = a.batch() * a.keys() * a.kvHeads();
    return new Trial()
        .f32(queries * size, i -> i % size == 0 ? 1 : 0)
        .operand(
            cache, keys * size, i -> i % size == 0 ? -1024 * (i / size % 3) : Trial.scattered(i))
        .operand(cache, keys * size, Trial::scattered)
        .f32(queries * size)
        .f32(queries, i -> 0)
        .f32(queries * size, i -> i % 3 - 1)
        .f32(queries * size)
        .f32(keys * size)
        .f32(keys * size)
        .f32(queries, i -> i % 3 - 1)
        .f32(queries * size)
        .f32(keys * size)
        .f32(keys * size)
        .calls(
            d,
            (k, s) -> {
              k.attentionBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], a);
              k.attentionBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[9], s[10], s[11], s[12], a);
            });
  }

  /** Shares are whole or halves: nothing is rounded. */
  private static Trial zeroToken(DeviceKernels d) {
    AttentionShape a = Trial.ATTENTION;
    int queries = Math.toIntExact(a.queryElements());
    int rows = Math.toIntExact(a.rows());
    int key = a.kvHeads() * a.headSize();
    return new Trial()
        .f32(queries)
        .f32(key)
        .f32(queries, i -> Trial.scattered(i + 5))
        .f32(rows, i -> i % 3 / 2.0)
        .f32(queries, i -> i % 3 - 1)
        .f32(rows, i -> i % 5 - 2)
        .f32(queries)
        .f32(key)
        .f32(rows)
        .calls(
            d,
            (k, s) -> k.zeroTokenBackward(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], a));
  }

  private static Trial adamW(DeviceKernels d) {
    AdamWCall step = new AdamWCall(0.5, 0.5, 0.75, 1, 0.25, 0.5, 0.25, 2);
    return new Trial()
        .f32(ALL)
        .f32(ALL, i -> i % 5 - 2)
        .f32(ALL)
        .f32(ALL, i -> i % 4)
        .rounded()
        .calls(d, (k, s) -> k.adamW(List.of(new AdamWCall.Update(s[0], s[1], s[2], s[3], step))));
  }
}

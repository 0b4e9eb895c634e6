package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/**
 * One AdamW step (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2): {@code g = gradScale *
 * grad; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; p = p - lr * (m / correction1 / (sqrt(v /
 * correction2) + eps) + weightDecay * p)}.
 *
 * @param learningRate step size
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root
 * @param weightDecay decoupled decay
 * @param correction1 {@code 1 - beta1^step}
 * @param correction2 {@code 1 - beta2^step}
 * @param gradScale factor on the gradient (clipping, averaging)
 */
public record AdamW(
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double correction1,
    double correction2,
    double gradScale) {

  /**
   * One tensor's step; all spans F32 and of equal length.
   *
   * @param param changed in place
   * @param grad its gradient
   * @param m first moment, changed in place
   * @param v second moment, changed in place
   * @param options the step
   */
  public record Update(Span param, Span grad, Span m, Span v, AdamW options) {}
}

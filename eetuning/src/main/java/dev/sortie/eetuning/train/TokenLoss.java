package dev.sortie.eetuning.train;

import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Span;

/** Losses over the tokens of a batch. */
public final class TokenLoss {
  private TokenLoss() {}

  /**
   * {@code Σ_t w_t l_t / count} over the tokens that have a target, {@code l_t} in nats.
   *
   * @param logits {@code [B, T, V]}
   * @param targets I32 {@code [B, T]}, negative where there is nothing to predict
   * @param teacher logits of the final layer, {@code [B, T, V]}; read by {@link Objective#KL} only
   * @param weighted whether {@code w_t} is the largest probability of the exit itself, without
   *     gradient (EE-LLM's dynamic token-wise weights), instead of 1
   * @param count divisor, usually the number of targets in the global batch
   */
  public static Tensor of(
      Ops ops,
      Objective objective,
      Tensor logits,
      Tensor targets,
      Tensor teacher,
      boolean weighted,
      double count) {
    Tensor perToken =
        objective == Objective.CE ? ops.crossEntropy(logits, targets) : ops.kl(logits, teacher);
    return ops.sum(ops.mul(perToken, weights(ops, logits, targets, weighted, count)));
  }

  private static Tensor weights(
      Ops ops, Tensor logits, Tensor targets, boolean weighted, double count) {
    Tensor w = ops.empty(logits.dtype(), targets.shape());
    Span out = w.span();
    Span target = targets.span();
    TopTokens top = weighted ? TopTokens.of(ops, logits) : null;
    for (long i = 0; i < out.length(); i++) {
      double weight = top == null ? 1 : top.probability(i);
      out.set(i, target.getInt(i) < 0 ? 0 : weight / count);
    }
    return w;
  }
}

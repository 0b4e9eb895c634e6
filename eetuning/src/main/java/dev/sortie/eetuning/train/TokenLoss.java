package dev.sortie.eetuning.train;

import dev.sortie.nn.Sharding;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Losses over the tokens of a batch: {@code Σ_t w_t l_t / count} over the tokens that have a
 * target, {@code l_t} in nats. {@code w_t} is 1 or, if {@code weighted}, the largest probability of
 * the exit itself, without gradient (EE-LLM's dynamic token-wise weights). The logits of all tokens
 * are never in memory.
 */
public final class TokenLoss {
  private TokenLoss() {}

  /**
   * Cross-entropy of the next token.
   *
   * @param in hidden states {@code [B, T, C]} and head
   * @param targets I32 {@code [B, T]}, negative where there is nothing to predict
   * @param count divisor, usually the number of targets in the global batch
   * @return a scalar
   */
  public static Tensor crossEntropy(
      Ops ops, HeadInput in, Tensor targets, boolean weighted, double count) {
    return crossEntropy(ops, Sharding.NONE, in, targets, weighted, count);
  }

  /** The same with hidden states and head of a decoder whose weights ranks share. */
  public static Tensor crossEntropy(
      Ops ops, Sharding sharding, HeadInput in, Tensor targets, boolean weighted, double count) {
    Tensor w = weights(ops, in.x(), targets, count);
    return sharding.crossEntropy(ops, in, targets, w, weighted).sum();
  }

  /**
   * {@code KL(teacher ‖ student)} of each student.
   *
   * @param students hidden states {@code [B, T, C]} and head of each
   * @param teacher those of the final layer; no gradient flows to them
   * @param targets I32 {@code [B, T]}, negative for tokens that do not count
   * @param count divisor, usually the number of targets in the global batch
   * @return one number a student
   */
  public static Tensor kl(
      Ops ops,
      List<HeadInput> students,
      HeadInput teacher,
      Tensor targets,
      boolean weighted,
      double count) {
    return kl(ops, Sharding.NONE, students, teacher, targets, weighted, count);
  }

  /** The same with hidden states and heads of a decoder whose weights ranks share. */
  public static Tensor kl(
      Ops ops,
      Sharding sharding,
      List<HeadInput> students,
      HeadInput teacher,
      Tensor targets,
      boolean weighted,
      double count) {
    Tensor w = weights(ops, teacher.x(), targets, count);
    return sharding.kl(ops, students, teacher, w, weighted).sum();
  }

  private static Tensor weights(Ops ops, Tensor x, Tensor targets, double count) {
    Tensor w = ops.empty(x.dtype(), targets.shape());
    Span out = w.span();
    Span target = targets.span();
    for (long i = 0; i < out.length(); i++) {
      out.set(i, target.getInt(i) < 0 ? 0 : 1 / count);
    }
    return w;
  }
}

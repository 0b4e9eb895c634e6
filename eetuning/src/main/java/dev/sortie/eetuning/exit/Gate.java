package dev.sortie.eetuning.exit;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * A logistic regression on one hidden state: {@code σ(w · x / rms(x) + b)}. Costs next to nothing
 * next to a head.
 *
 * @param weight {@code w}, F32 {@code [C]}
 * @param bias {@code b}, F32 {@code [1]}
 * @param eps added to the mean square
 * @param report how well it does
 */
public record Gate(Tensor weight, Tensor bias, double eps, Report report) {

  /**
   * How often a gate is wrong at 0.5, on text that it was not fitted to.
   *
   * @param tokens of that text
   * @param error share of wrong answers
   * @param baseError share of wrong answers of always giving the more frequent one
   */
  public record Report(long tokens, double error, double baseError) {}

  /** The probability for one hidden state x {@code [.., C]} of one row. */
  public double probability(Ops ops, Tensor x) {
    double z = ops.sum(ops.rmsNorm(x, weight, eps)).item() + bias.item();
    return 1 / (1 + StrictMath.exp(-z));
  }
}

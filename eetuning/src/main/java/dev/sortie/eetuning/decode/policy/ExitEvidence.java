package dev.sortie.eetuning.decode.policy;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * What an exit says of the next token, for an {@link ExitPolicy}. Measures are computed when asked
 * for; all are at temperature 1. Valid during the decision.
 */
public final class ExitEvidence {
  private final Ops ops;
  private final Exit exit;
  private final Tensor state;
  private final ExitAnswer answer;
  private final int agreeing;

  /**
   * Evidence of one exit.
   *
   * @param state what its head read, {@code [1, C]}
   * @param answer what it said
   * @param before what the exit asked before it said of this token, or null
   */
  public ExitEvidence(Ops ops, Exit exit, Tensor state, ExitAnswer answer, Said before) {
    this.ops = ops;
    this.exit = exit;
    this.state = state;
    this.answer = answer;
    this.agreeing = before != null && before.token() == token() ? before.agreeing() + 1 : 1;
  }

  /**
   * What is kept of an exit's evidence when the next exit is asked.
   *
   * @param token its most likely token
   * @param agreeing how many exits in a row, it the last, have that one
   */
  public record Said(int token, int agreeing) {}

  /** What the next exit that is asked has to know of this one. */
  public Said said() {
    return new Said(token(), agreeing);
  }

  /** Where the exit stands. */
  public int depth() {
    return exit.depth();
  }

  /** Its most likely token. */
  public int token() {
    return answer.token();
  }

  /**
   * The probability that the text continues with a token that the exit's head covers: 1, or what
   * the coverage gate of a draft head says. That speaks of the tokens that the head covers in any
   * text; how likely those of this text are next to them is what the head says.
   */
  public double coverage() {
    if (exit.gates().coverage().isEmpty()) {
      return 1;
    }
    double known = exit.gates().coverage().get().probability(ops, state);
    double share = answer.knownShare();
    return known < share ? known / share : 1;
  }

  /** The largest probability, among all tokens. */
  public double maxProbability() {
    return coverage() * answer.probability();
  }

  /** The largest probability minus the second, among all tokens. */
  public double margin() {
    float[] z = answer.logits().toFloats();
    int best = answer.best();
    double second = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < z.length; i++) {
      if (i != best) {
        second = Math.max(second, z[i]);
      }
    }
    double p = StrictMath.exp(second - answer.lse());
    return coverage() * (answer.probability() - p);
  }

  /** The entropy in nats, of the tokens that the head covers. */
  public double entropy() {
    // H = lse - Σ p z; z - lse instead of z, for that is never large where p is
    Tensor logits = answer.logits();
    Tensor p = ops.softmax(logits);
    Tensor log = ops.add(logits, ops.full(logits.dtype(), logits.shape(), -answer.lse()));
    return Math.max(0, -ops.sum(ops.mul(p, log)).item());
  }

  /** The number of tokens that the head covers. */
  public int tokens() {
    return answer.tokens();
  }

  /** How many exits in a row, this one the last, have the same most likely token. */
  public int agreeing() {
    return agreeing;
  }

  /** What the exit said. */
  public ExitAnswer answer() {
    return answer;
  }
}

package dev.sortie.eetuning.decode.policy;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.Shape;
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
  private final Tensor logits;
  private final TopTokens top;
  private final int row;
  private final int agreeing;

  /**
   * Evidence of one exit.
   *
   * @param state what its head read, one row
   * @param before what the exit asked before it said of this token, or null
   */
  public ExitEvidence(Ops ops, Exit exit, Tensor state, Said before) {
    this(ops, exit, state, TopTokens.of(ops, exit.headLogits(ops, state)), 0, before);
  }

  /**
   * Evidence of one exit for one row of several that its head read at once.
   *
   * @param state what its head read, that row alone
   * @param top of the logits of all rows
   */
  public ExitEvidence(Ops ops, Exit exit, Tensor state, TopTokens top, int row, Said before) {
    long width = top.logits().shape().dim(-1);
    this.ops = ops;
    this.exit = exit;
    this.state = state;
    this.top = top;
    this.row = row;
    this.logits = Tensor.of(top.logits().span().slice(row * width, width), Shape.of(1, width));
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
    return exit.token(top.index().span().getInt(row));
  }

  /**
   * The probability that the text goes on with a token that the exit's head covers: 1, or what the
   * coverage gate of a draft head says.
   */
  public double coverage() {
    return exit.gates().coverage().map(g -> g.probability(ops, state)).orElse(1.0);
  }

  /** The largest probability, among all tokens. */
  public double maxProbability() {
    return coverage() * top.probability(row);
  }

  /** The largest probability minus the second, among all tokens. */
  public double margin() {
    float[] z = logits.toFloats();
    int best = top.index().span().getInt(row);
    double second = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < z.length; i++) {
      if (i != best) {
        second = Math.max(second, z[i]);
      }
    }
    double p = StrictMath.exp(second - top.lse().span().get(row));
    return coverage() * (top.probability(row) - p);
  }

  /** The entropy in nats, of the tokens that the head covers. */
  public double entropy() {
    // H = lse - Σ p z; z - lse instead of z, for that is never large where p is
    Tensor p = ops.softmax(logits);
    Tensor log =
        ops.add(logits, ops.full(logits.dtype(), logits.shape(), -top.lse().span().get(row)));
    return Math.max(0, -ops.sum(ops.mul(p, log)).item());
  }

  /** The number of tokens that the head covers. */
  public int tokens() {
    return logits.shape().size(-1);
  }

  /** How many exits in a row, this one the last, have the same most likely token. */
  public int agreeing() {
    return agreeing;
  }

  public Tensor logits() {
    return logits;
  }
}

package dev.sortie.eetuning.exit;

import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * What an exit says at one place of a text: logits of the tokens that its head covers there, and
 * which they are. In the workspace where they were computed.
 */
public final class ExitAnswer {
  private final Optional<DraftVocabulary> draft;

  /** Tokens of the text, after those of {@link #draft}. */
  private final int[] text;

  private final Tensor logits;
  private final TopTokens top;

  ExitAnswer(Ops ops, Exit exit, Tensor logits, int[] text) {
    this.draft = exit.draft();
    this.text = text;
    this.logits = logits;
    this.top = TopTokens.of(ops, logits);
  }

  /**
   * Of the tokens that its head covers in any text.
   *
   * @param logits {@code [1, V]}, or {@code [1, N]} of a draft head
   */
  public static ExitAnswer of(Ops ops, Exit exit, Tensor logits) {
    return new ExitAnswer(ops, exit, logits, new int[0]);
  }

  /** {@code [1, W]} of the tokens covered: the stored ones by id, then those of the text. */
  public Tensor logits() {
    return logits;
  }

  /** The number of tokens that the head covers here. */
  public int tokens() {
    return logits.shape().size(-1);
  }

  /** The index of the largest logit, the first one of equals. */
  public int best() {
    return top.index().span().getInt(0);
  }

  /** The most likely token, of equals the one with the lowest id. */
  public int token() {
    int best = best();
    int token = id(best);
    double largest = logits.span().get(best);
    for (int i = 0; i < text.length; i++) {
      if (text[i] < token && logits.span().get(known() + i) == largest) {
        token = text[i];
      }
    }
    return token;
  }

  private int id(int index) {
    if (draft.isEmpty()) {
      return index;
    }
    return index < known() ? draft.get().id(index) : text[index - known()];
  }

  /** Logits before those of the text's tokens. */
  private int known() {
    return tokens() - text.length;
  }

  /** The largest probability among the tokens covered, at temperature 1. */
  public double probability() {
    return top.probability(0);
  }

  /** Log-sum-exp of the logits. */
  public double lse() {
    return top.lse().span().get(0);
  }

  /** Negative log-likelihood of a token in nats, infinite if it is not covered. */
  public double nll(int token) {
    int index = draft.map(d -> d.index(token)).orElse(token);
    for (int i = 0; i < text.length; i++) {
      if (text[i] == token) {
        index = known() + i;
      }
    }
    return index < 0 ? Double.POSITIVE_INFINITY : lse() - logits.span().get(index);
  }

  /** The probability of the tokens that the head covers in any text, among those covered here. */
  public double knownShare() {
    double share = 1;
    for (int i = 0; i < text.length; i++) {
      share -= StrictMath.exp(logits.span().get(known() + i) - lse());
    }
    return Math.max(0, share);
  }

  /**
   * Spreads the logits over the whole vocabulary; what is not covered cannot be chosen.
   *
   * @param whole of all tokens
   */
  public void spread(float[] whole) {
    if (draft.isEmpty()) {
      MemorySegment.ofArray(whole).copyFrom(logits.span().readOnly());
      return;
    }
    float[] all = logits.toFloats();
    draft.get().spread(all, whole);
    for (int i = 0; i < text.length; i++) {
      whole[text[i]] = all[known() + i];
    }
  }
}

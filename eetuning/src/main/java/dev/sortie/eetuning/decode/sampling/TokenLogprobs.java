package dev.sortie.eetuning.decode.sampling;

import java.util.ArrayList;
import java.util.List;

/**
 * How likely a token was, and which tokens were the likeliest there, by the model's own logits: no
 * temperature, no penalty and no rule.
 *
 * @param token the token that stands there
 * @param top the likeliest tokens by falling probability, ties by rising id; as many as were asked
 *     for
 */
public record TokenLogprobs(Entry token, List<Entry> top) {

  /**
   * A token and the natural logarithm of its probability, negative infinity where a head does not
   * cover it.
   */
  public record Entry(int id, double logprob) {}

  public TokenLogprobs {
    top = List.copyOf(top);
  }

  /**
   * Of a row of logits.
   *
   * @param logits {@code [V]}, not changed
   * @param id the token that stands there
   * @param count likeliest tokens to name
   */
  public static TokenLogprobs of(float[] logits, int id, int count) {
    double max = logits[Sampler.argmax(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += NegativeExp.of(logit - max);
    }
    return of(logits, max + StrictMath.log(sum), id, count);
  }

  /**
   * Of a row of logits whose log-sum-exp is known.
   *
   * @param lse natural logarithm of the sum of the exponentials
   */
  public static TokenLogprobs of(float[] logits, double lse, int id, int count) {
    List<Entry> top = new ArrayList<>();
    Ranking ranking = count == 0 ? null : new Ranking(logits);
    for (int i = 0; i < Math.min(count, logits.length); i++) {
      top.add(entry(logits, lse, ranking.id(i)));
    }
    return new TokenLogprobs(entry(logits, lse, id), top);
  }

  private static Entry entry(float[] logits, double lse, int id) {
    return new Entry(id, Math.min(0, logits[id] - lse));
  }
}

package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.nn.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * One of the likeliest tokens of a distribution.
 *
 * @param text as it stands alone: bytes that are no characters become U+FFFD
 * @param probability at temperature 1
 */
public record LikelyToken(int id, String text, double probability) {
  /** How many are named. */
  static final int COUNT = 5;

  /** The text of a token alone. */
  static String text(Tokenizer tokenizer, int id) {
    return new String(tokenizer.bytes(id), StandardCharsets.UTF_8);
  }

  /**
   * The likeliest tokens.
   *
   * @param share of the distribution that these probabilities are of
   */
  static List<LikelyToken> of(TokenLogprobs distribution, double share, Tokenizer tokenizer) {
    return distribution.top().stream()
        .filter(e -> e.logprob() > Double.NEGATIVE_INFINITY)
        .map(
            e ->
                new LikelyToken(
                    e.id(), text(tokenizer, e.id()), share * StrictMath.exp(e.logprob())))
        .toList();
  }
}

package dev.sortie.eetuning.decode;

import java.util.List;

/**
 * A finished generation.
 *
 * @param promptIds what was read
 * @param tokens what was generated
 * @param text the generated text, without a stop string
 * @param finish why it ended: {@code stop}, {@code length} or {@code cancelled}
 * @param prefillSeconds time to read the prompt
 * @param decodeSeconds time for the tokens after the first
 */
public record Generation(
    int[] promptIds,
    List<GeneratedToken> tokens,
    String text,
    String finish,
    double prefillSeconds,
    double decodeSeconds) {

  /** Prompt tokens read a second. */
  public double prefillTokensPerSecond() {
    return promptIds.length / prefillSeconds;
  }

  /** Tokens per second after the first; 0 if there is none. */
  public double decodeTokensPerSecond() {
    return tokens.size() < 2 ? 0 : (tokens.size() - 1) / decodeSeconds;
  }
}

package dev.sortie.eetuning.decode;

import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One generated token.
 *
 * @param id its id
 * @param text what it adds to the text: whole characters only, so sometimes nothing, sometimes the
 *     end of an earlier one too
 * @param exit depth of the exit that chose it; empty for the final layer
 * @param confidence largest probability there
 * @param draft name of the {@link dev.sortie.eetuning.decode.speculative.DraftSource} that had
 *     drafted it; empty where none had, or the draft was not verified
 * @param logprobs how likely it was there; empty where nobody asked
 */
public record GeneratedToken(
    int id,
    String text,
    OptionalInt exit,
    double confidence,
    Optional<String> draft,
    Optional<TokenLogprobs> logprobs) {

  /** A token of which nobody asked how likely it was. */
  public GeneratedToken(
      int id, String text, OptionalInt exit, double confidence, Optional<String> draft) {
    this(id, text, exit, confidence, draft, Optional.empty());
  }
}

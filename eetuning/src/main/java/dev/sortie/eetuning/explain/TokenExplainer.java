package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import java.util.List;
import java.util.Set;

/**
 * Explains tokens of texts.
 *
 * <p>The first generated token follows the prompt, which is read at full depth and many tokens at
 * once. To show what exits would have said, its last token is read alone here, so that figures may
 * differ from those of {@code generate} in the last bits. All later tokens have those of {@code
 * generate}.
 *
 * @param model to decode with
 * @param exits all that are to be shown
 * @param policy when one is taken
 * @param maxPending deficit tokens at most
 * @param ends ids that end a text
 */
public record TokenExplainer(
    LanguageModel model, Exits exits, ExitPolicy policy, int maxPending, Set<Integer> ends) {

  public TokenExplainer {
    ends = Set.copyOf(ends);
  }

  /** With the ids that end a text in a list. */
  public TokenExplainer(
      LanguageModel model, Exits exits, ExitPolicy policy, int maxPending, List<Integer> ends) {
    this(model, exits, policy, maxPending, Set.copyOf(ends));
  }

  /**
   * Explains a generated token.
   *
   * @param prompt at least one token
   * @param number which of the tokens that follow it, from 1
   * @param options how tokens are chosen
   * @param passes runs each pass
   * @throws InputException if the text does not fit the model or ends before that token
   * @throws InterruptedException if {@code passes} does
   */
  public Explanation explain(int[] prompt, int number, GenerateOptions options, PassRunner passes)
      throws InterruptedException {
    if (prompt.length == 0) {
      throw new InputException(
          "the prompt is empty and the model has no token that begins a text; give at least one"
              + " character");
    }
    int context = model.config().decoder().context();
    int most = context - prompt.length + 1;
    if (most < 1) {
      throw new InputException(
          "the prompt has %d tokens, the model's context is %d; give fewer"
              .formatted(prompt.length, context));
    }
    if (number < 1 || number > most) {
      throw new InputException(
          "token %d is outside 1 to %d: the prompt has %d tokens, the model's context is %d"
              .formatted(number, most, prompt.length, context));
    }
    return new ExplainedText(this, prompt, number, options, passes).explain();
  }
}

package dev.sortie.eetuning.eval;

import java.util.List;
import java.util.OptionalInt;

/**
 * One prompt, continued twice, greedily with a {@link #REPETITION_PENALTY}.
 *
 * @param prompt the text that both continue
 * @param threshold confidence from which an exit was taken
 * @param tokens the continuation with early exits, in order
 * @param fullDepthText the continuation at full depth, without the prompt
 */
public record DemoSample(
    String prompt, double threshold, List<Token> tokens, String fullDepthText) {
  /**
   * A mild one, without which a small model falls into loops. Speed and agreement are measured
   * without it: it changes which token is chosen, and exits go by the probabilities before it.
   */
  public static final double REPETITION_PENALTY = 1.15;

  public DemoSample {
    ResultChecks.present("sample prompt", prompt);
    ResultChecks.present("sample full-depth text", fullDepthText);
    ResultChecks.finite("sample threshold", threshold);
    tokens = List.copyOf(tokens);
  }

  /** The continuation with early exits as one text. */
  public String text() {
    StringBuilder text = new StringBuilder();
    tokens.forEach(token -> text.append(token.text()));
    return text.toString();
  }

  /**
   * One generated token and where it left the model.
   *
   * @param id its id in the vocabulary
   * @param text what it adds to the text; untrusted, may hold control characters
   * @param exit depth of the exit that was taken, in layers; empty if the final layer decided
   * @param confidence confidence of the head that decided, 0 to 1; what a float sum has above 1 by
   *     rounding is cut
   */
  public record Token(int id, String text, OptionalInt exit, double confidence) {
    private static final double ROUNDING = 1e-3;

    public Token {
      ResultChecks.atLeast("token id", id, 0);
      ResultChecks.present("token text", text);
      ResultChecks.present("token exit", exit);
      if (exit.isPresent()) {
        ResultChecks.atLeast("token exit", exit.getAsInt(), 1);
      }
      if (confidence > 1 && confidence <= 1 + ROUNDING) {
        confidence = 1;
      }
      ResultChecks.share("token confidence", confidence);
    }
  }
}

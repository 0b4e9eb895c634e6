package dev.sortie.eetuning.eval;

import java.util.List;

/**
 * One prompt, continued twice.
 *
 * @param prompt the text that both continue
 * @param threshold confidence from which an exit was taken
 * @param tokens the continuation with early exits, in order
 * @param fullDepthText the continuation at full depth, without the prompt
 */
public record SampleText(
    String prompt, double threshold, List<TokenTrace> tokens, String fullDepthText) {
  public SampleText {
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
}

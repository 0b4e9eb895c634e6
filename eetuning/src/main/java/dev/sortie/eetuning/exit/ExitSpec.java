package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;

/**
 * One exit to build.
 *
 * @param depth after how many backbone layers it stands, 1 to layers - 1; all of them in a {@link
 *     FinalDraft}, which is not built from a file
 * @param architecture what it computes
 * @param ownHead whether it has a head of its own (untied); otherwise it reads the backbone's,
 *     frozen
 * @param draftTokens how many tokens its head covers; 0 is all of them
 */
public record ExitSpec(int depth, ExitArchitecture architecture, boolean ownHead, int draftTokens) {

  /** An exit whose head covers the whole vocabulary. */
  public ExitSpec(int depth, ExitArchitecture architecture, boolean ownHead) {
    this(depth, architecture, ownHead, 0);
  }

  /** Whether its head covers the most frequent tokens only. */
  public boolean hasDraftHead() {
    return draftTokens != 0;
  }

  /** The same with another number of draft tokens. */
  public ExitSpec withDraftTokens(int tokens) {
    return new ExitSpec(depth, architecture, ownHead, tokens);
  }

  /** Fails unless the exit fits into a backbone of {@code layers} layers. */
  public void check(int layers) {
    if (depth < 1 || depth >= layers) {
      throw new InputException(
          "exit depth "
              + depth
              + " is out of range: the backbone has "
              + layers
              + " layers, so an exit stands after layer 1 to "
              + (layers - 1));
    }
  }
}

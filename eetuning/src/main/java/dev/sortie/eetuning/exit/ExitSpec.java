package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;

/**
 * One exit to build.
 *
 * @param depth after how many backbone layers it stands, 1 to layers - 1
 * @param architecture what it computes
 * @param ownHead whether it has a head of its own (untied); otherwise it reads the backbone's,
 *     frozen
 */
public record ExitSpec(int depth, ExitArchitecture architecture, boolean ownHead) {

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

package dev.sortie.eetuning.decode;

import dev.sortie.nn.InputException;

/** Ids of a prompt that somebody gives instead of a text. */
public final class PromptIds {
  private PromptIds() {}

  /**
   * Checks that all are tokens.
   *
   * @param vocab number of tokens
   * @throws InputException naming the first that is none
   */
  public static void check(int[] ids, int vocab) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocab) {
        throw new InputException(
            "id %d of the prompt is %d, expected 0 to %d".formatted(i, ids[i], vocab - 1));
      }
    }
  }
}

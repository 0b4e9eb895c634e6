package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.InputException;

/** The words of {@code --head}. */
public final class HeadWord {
  private HeadWord() {}

  public static boolean isOwn(String word) {
    return switch (word) {
      case "own" -> true;
      case "backbone" -> false;
      default -> throw new InputException("--head '" + word + "' is unknown; take own or backbone");
    };
  }
}

package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.nn.InputException;
import java.util.Iterator;

/** The words of options that name exits, and of those that say how exits are made. */
public final class ExitWords {
  /** For the help of options: a folder whose exits are decoded or scored with. */
  public static final String FOLDER =
      "Folder with exits. They are held in memory as Q8_0, or as F32 for a " + "model in F32.";

  /** The words of {@code --arch}, for help and completion. */
  public static final class Architectures implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return ExitArchitecture.words().iterator();
    }
  }

  private ExitWords() {}

  /** Whether {@code --head} asks for a head of the exit's own. */
  public static boolean ownHead(String word) {
    return switch (word) {
      case "own" -> true;
      case "backbone" -> false;
      default -> throw new InputException("--head '" + word + "' is unknown; take own or backbone");
    };
  }
}

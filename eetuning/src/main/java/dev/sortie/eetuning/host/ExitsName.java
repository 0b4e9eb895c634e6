package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** What a word for exits means. */
public final class ExitsName {
  /** The exits that come with Sortie, of SmolLM2-135M-Instruct. */
  public static final String SMOLLM2 = "smollm2";

  private ExitsName() {}

  /**
   * The folder that a word means. A path that is there comes before the exits that come with
   * Sortie.
   *
   * @throws InputException if no path can be named so
   */
  public static Path path(String word) {
    try {
      Path path = Path.of(word);
      return word.equals(SMOLLM2) && !Files.exists(path)
          ? EmbeddedFolder.SMOLLM2_EXITS.path()
          : path;
    } catch (InvalidPathException e) {
      throw new InputException("exits cannot be named so: " + e.getReason(), e);
    }
  }
}

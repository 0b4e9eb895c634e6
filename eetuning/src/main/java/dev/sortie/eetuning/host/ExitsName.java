package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/** What a word for exits means. */
public final class ExitsName {
  /** Exits that come with Sortie, by the model that they are for. */
  private static final Map<String, EmbeddedFolder> EMBEDDED =
      Map.of("fable", EmbeddedFolder.FABLE_EXITS, "smollm2", EmbeddedFolder.SMOLLM2_EXITS);

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
      EmbeddedFolder embedded = EMBEDDED.get(word);
      return embedded == null || Files.exists(path) ? path : embedded.path();
    } catch (InvalidPathException e) {
      throw new InputException("exits cannot be named so: " + e.getReason(), e);
    }
  }
}

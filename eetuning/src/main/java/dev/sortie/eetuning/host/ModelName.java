package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import dev.sortie.nn.hub.CachedModel;
import dev.sortie.nn.hub.HubSettings;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** What a word for a model means. */
public final class ModelName {
  /** For the help of options. */
  public static final String HELP =
      "Hugging Face folder, .gguf file, ORG/NAME as pulled from the hub (ORG/NAME@REVISION, ORG/NAME/FILE.gguf), or the word fable.";

  private ModelName() {}

  /**
   * The folder or file that a word means. A path that is there comes before the hub's cache.
   *
   * @throws InputException if the word names a model of the hub that was not pulled
   */
  public static Path path(String word) {
    if (word.equals("fable")) {
      return EmbeddedFolder.FABLE.path();
    }
    try {
      Path path = Path.of(word);
      return Files.exists(path)
          ? path
          : CachedModel.find(word, HubSettings.cache(System.getenv(), home())).orElse(path);
    } catch (InvalidPathException e) {
      throw new InputException("the model cannot be named so: " + e.getReason(), e);
    }
  }

  /** What a model is called: its folder or file without {@code .gguf}, or {@code fable}. */
  public static String of(Path path) {
    String last = String.valueOf(path.toAbsolutePath().normalize().getFileName());
    return EmbeddedFolder.FABLE.lies(path) ? "fable" : last.replaceFirst("\\.gguf$", "");
  }

  /** The user's folder. */
  public static Path home() {
    return Path.of(System.getProperty("user.home"));
  }
}

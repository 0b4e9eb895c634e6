package dev.sortie.nn.file;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The user's folder for files that can be made again, where the XDG specification has it. */
public final class CacheFolder {
  private CacheFolder() {}

  /** The folder of {@code program}; it may not be there yet. */
  public static Path of(String program) {
    return of(program, System.getenv(), Path.of(System.getProperty("user.home")));
  }

  /** The same for another environment and another home. */
  public static Path of(String program, Map<String, String> environment, Path home) {
    return named(environment, "XDG_CACHE_HOME", home)
        .orElse(home.resolve(".cache"))
        .resolve(program);
  }

  /**
   * The path that a variable names, if it is set and not blank; {@code ~} is {@code home}.
   *
   * @throws InputException if it is no path
   */
  public static Optional<Path> named(Map<String, String> environment, String variable, Path home) {
    String value = environment.getOrDefault(variable, "");
    if (value.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          value.equals("~") || value.startsWith("~/")
              ? home.resolve(value.substring(Math.min(2, value.length())))
              : Path.of(value).toAbsolutePath());
    } catch (InvalidPathException e) {
      throw new InputException(
          "%s is %s, which is no path here; set it to a folder"
              .formatted(variable, Printable.value(value)),
          e);
    }
  }
}

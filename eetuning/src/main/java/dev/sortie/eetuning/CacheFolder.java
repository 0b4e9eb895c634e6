package dev.sortie.eetuning;

import java.nio.file.Path;

/** Where files go that can be made again. */
public final class CacheFolder {
  private CacheFolder() {}

  /** The folder {@code sortie} in the user's cache folder; it may not be there yet. */
  public static Path path() {
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path base =
        xdg != null && !xdg.isBlank()
            ? Path.of(xdg)
            : Path.of(System.getProperty("user.home"), ".cache");
    return base.resolve("sortie");
  }
}

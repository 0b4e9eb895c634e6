package dev.sortie.eetuning;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Folders for results. */
public final class Folders {
  private Folders() {}

  /**
   * Creates {@code folder} and those above it, where they are not there yet.
   *
   * @throws InputException if that cannot be, as where a file has the name
   */
  public static void create(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new InputException(
          folder + ": cannot be created as a folder: " + reason(e) + "; name another folder", e);
    }
  }

  private static String reason(IOException e) {
    return switch (e) {
      case FileAlreadyExistsException there -> there.getFile() + " is a file";
      case FileSystemException f when f.getReason() != null -> f.getReason();
      default -> e.toString();
    };
  }
}

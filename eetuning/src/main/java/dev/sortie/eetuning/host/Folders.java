package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;

/** Folders for results, and for caches, which can be made again. */
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

  /**
   * The folder of what follows from a key alone, named by its hash.
   *
   * @param parent of such folders
   */
  public static Path keyed(Path parent, Map<String, Object> key) {
    Sha256 sha = new Sha256();
    sha.update(Json.compact(key).getBytes(StandardCharsets.UTF_8));
    return parent.resolve(sha.hex().substring(0, 16));
  }

  /**
   * Deletes {@code folder} with all that is in it, if it is there.
   *
   * @throws InputException if something in it cannot be deleted
   */
  public static void delete(Path folder) {
    if (Files.notExists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new InputException(folder + ": cannot be deleted: " + reason(e), e);
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

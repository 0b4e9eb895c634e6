package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.NamedInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A file that an option names and that a command writes when much of its work is done. */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Says before the work what would keep the file from being written after it.
   *
   * @param option that names it
   * @throws InputException if it is a folder, or lies in one that does not exist
   */
  public static void check(String option, Path file) {
    if (Files.isDirectory(file)) {
      throw new InputException(option + " " + file + ": is a folder; name a file");
    }
    Path folder = file.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new InputException(
          "%s %s: there is no folder %s; give a file in a folder that exists"
              .formatted(option, file, folder));
    }
  }

  /**
   * Refuses a file that is there and is not of the kind that the command writes, such as a text
   * that was named by mistake. A file that does not exist, or is empty, will do.
   *
   * @param beginning of all files of that kind
   * @throws InputException if the file begins otherwise, or cannot be read
   */
  public static void requireKind(String option, Path file, String beginning) {
    if (!NamedInput.isRegular(file)) {
      return;
    }
    byte[] expected = beginning.getBytes(StandardCharsets.UTF_8);
    try (InputStream in = Files.newInputStream(file)) {
      byte[] found = in.readNBytes(expected.length);
      if (found.length > 0 && !Arrays.equals(found, expected)) {
        throw new InputException(
            "%s %s is there, and this command did not write it; name another file"
                .formatted(option, file));
      }
    } catch (IOException e) {
      throw InputFiles.cannotRead(file, e);
    }
  }

  /**
   * As {@link #check(String, Path)}, of a file that may also lie in the folder of the run, which is
   * made where it does not exist yet.
   *
   * @param run that folder
   */
  public static void check(String option, Path file, Path run) {
    if (!run.toAbsolutePath().equals(file.toAbsolutePath().getParent())) {
      check(option, file);
    }
  }
}

package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import java.nio.file.Files;
import java.nio.file.Path;

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
   * The same of a file that may also lie in the folder of the run, which is made where it does not
   * exist yet.
   *
   * @param run that folder
   */
  public static void check(String option, Path file, Path run) {
    if (!run.toAbsolutePath().equals(file.toAbsolutePath().getParent())) {
      check(option, file);
    }
  }
}

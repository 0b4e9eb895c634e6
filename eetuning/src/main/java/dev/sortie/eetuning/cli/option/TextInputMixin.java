package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.TextFiles;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** A text, on the command line or in a file. */
public final class TextInputMixin {
  @Option(
      names = {"--text", "--prompt"},
      paramLabel = "TEXT",
      description = "The text.")
  private String text;

  @Option(
      names = {"--file", "--prompt-file"},
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "A UTF-8 file with the text, used as is." + ReadOnce.HELP)
  private Path file;

  /** Whether there is a text or a file. */
  public boolean isGiven() {
    return text != null || file != null;
  }

  /** The text. */
  public String read(String option) {
    if ((text == null) == (file == null)) {
      throw new InputException("give either " + option + " TEXT or a file, one of the two");
    }
    return text != null ? text : TextFiles.readAny(file);
  }
}

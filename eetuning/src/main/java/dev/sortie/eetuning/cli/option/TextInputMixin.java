package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.nn.UsageException;
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

  /** How many of the two are given. */
  public int given() {
    return (text == null ? 0 : 1) + (file == null ? 0 : 1);
  }

  /**
   * The text.
   *
   * @param textOption what messages call the option of a text
   * @param fileOption and that of a file
   */
  public String read(String textOption, String fileOption) {
    if (given() != 1) {
      throw new UsageException(
          "give %s TEXT or %s FILE%s"
              .formatted(textOption, fileOption, given() == 0 ? "" : ", but not both"));
    }
    return text != null ? text : TextFiles.readAny(file);
  }
}

package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** A text, on the command line or in a file. */
public final class TextInput {
  @Option(
      names = {"--text", "--prompt"},
      paramLabel = "TEXT",
      description = "The text.")
  private String text;

  @Option(
      names = {"--file", "--prompt-file"},
      paramLabel = "FILE",
      description = "A UTF-8 file with the text, taken as it is.")
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
    return text != null ? text : read(file);
  }

  /** A UTF-8 file whole, which may be empty. */
  public static String read(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new InputException(file + ": no such file", e);
    } catch (CharacterCodingException e) {
      throw new InputException(file + ": is not UTF-8 text; convert it", e);
    } catch (IOException e) {
      throw new InputException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}

package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Text that tokenizers and models are trained on. A file whose name ends in {@code .jsonl} has a
 * document in the field {@code text} of the JSON object of each line, as data sets are usually
 * published; other fields are ignored. Any other file is one document in UTF-8.
 */
public final class TrainingText {
  private TrainingText() {}

  /** All documents of a file, one under the other. */
  public static String join(Path file) {
    StringBuilder all = new StringBuilder();
    read(
        file,
        new Reader() {
          private boolean next;

          @Override
          public void part(String part) {
            all.append(next ? "\n" : "").append(part);
            next = false;
          }

          @Override
          public void end() {
            next = true;
          }
        });
    return all.toString();
  }

  /** All documents of a file or pipe that is held in memory, one after another. */
  public static List<String> documents(Path file) {
    if (!JsonLines.isNamed(file)) {
      String text = TextFiles.read(file, TextFiles.CORPUS);
      return JsonLines.isIn(file, text)
          ? JsonLines.parse(NamedInput.name(file), text).stream().map(TrainingText::text).toList()
          : List.of(text);
    }
    List<String> all = new ArrayList<>();
    StringBuilder document = new StringBuilder();
    read(
        file,
        new Reader() {
          @Override
          public void part(String part) {
            document.append(part);
          }

          @Override
          public void end() {
            all.add(document.toString());
            document.setLength(0);
          }
        });
    return all;
  }

  private static String text(JsonObject line) {
    String text = line.getString("text");
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw line.error("text", "text without unpaired surrogates");
    }
    return text;
  }

  /** Takes documents one after another. */
  public interface Reader {
    /** The next part of a document; parts do not end within a character. */
    void part(String part);

    /** The document ends. */
    void end();
  }

  /**
   * Reads a file of any length: of a text only a part is in memory, of lines one.
   *
   * @throws InputException if it cannot be read, is not UTF-8, has no text, or a line is no JSON
   *     object with a text
   */
  public static void read(Path file, Reader reader) {
    if (!JsonLines.isNamed(file)) {
      TextFiles.parts(file, reader::part);
      reader.end();
      return;
    }
    JsonLines.read(
        file,
        JsonLimits.DATA,
        JsonLimits.DATA.maxString(),
        line -> {
          reader.part(text(line));
          reader.end();
        });
  }
}

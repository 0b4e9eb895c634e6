package dev.sortie.eetuning.speedrun;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.JsonLines;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts, split into what is trained on and what is measured: of each text the last twentieth is
 * held out, or up to twice as much, so that it begins with a line.
 *
 * @param training a file for each text
 * @param heldOut one file
 */
public record HeldOutSplit(List<Path> training, Path heldOut) {
  private static final int SHARE = 20;

  /** Fewer characters than this measure nothing. */
  private static final int LEAST = 20_000;

  /**
   * Splits texts, always in the same way.
   *
   * @param texts files of UTF-8 text
   * @param folder where the files are written
   * @throws InputException if one cannot be read, or they are too short
   */
  public static HeldOutSplit write(List<Path> texts, Path folder) {
    List<Path> training = new ArrayList<>();
    StringBuilder heldOut = new StringBuilder();
    for (Path file : texts) {
      if (JsonLines.isNamed(file)) {
        throw new InputException(file + ": is JSON lines; a speedrun takes files of plain text");
      }
      String text = TextFiles.read(file, TextFiles.CORPUS);
      int cut = cut(text);
      Path part = folder.resolve("train-%03d.txt".formatted(training.size()));
      write(part, text.substring(0, cut));
      training.add(part);
      heldOut.append(text, cut, text.length());
    }
    if (heldOut.length() < LEAST) {
      throw new InputException(
          "%s: the last twentieth has %d characters, and at least %d are needed to measure on; give more text"
              .formatted(
                  String.join(", ", texts.stream().map(NamedInput::name).toList()),
                  heldOut.length(),
                  LEAST));
    }
    Path measured = folder.resolve("held-out.txt");
    write(measured, heldOut.toString());
    return new HeldOutSplit(List.copyOf(training), measured);
  }

  /** Where a line begins, if one does in the twentieth before the last; else between characters. */
  private static int cut(String text) {
    int share = text.length() / SHARE;
    int at = text.length() - share;
    int line = text.lastIndexOf('\n', at);
    if (line >= at - share) {
      return line + 1;
    }
    boolean splits = share > 0 && Character.isSurrogatePair(text.charAt(at - 1), text.charAt(at));
    return splits ? at - 1 : at;
  }

  private static void write(Path file, String text) {
    AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
  }
}

package dev.sortie.eetuning.exercise;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What an exit of the embedded model said of the tokens of one text: the recorded evidence on which
 * exit rules are checked.
 *
 * @param largest the eight largest probabilities at each token, falling
 * @param agrees whether the exit's most likely token was the final layer's
 */
record RecordedExit(List<double[]> largest, List<Boolean> agrees) {
  /** Probabilities of a token. */
  static final int LARGEST = 8;

  /** Probabilities are written as multiples of its inverse. */
  static final double SCALE = 10_000;

  private static final String FILE = "exit-evidence.txt";

  /**
   * All recorded texts. A line is a token: {@code =} or {@code !} for agreement or not, then the
   * probabilities; an empty line ends a text.
   */
  static List<RecordedExit> all() {
    try (InputStream in = RecordedExit.class.getResourceAsStream(FILE)) {
      List<RecordedExit> texts = new ArrayList<>();
      String all = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      for (String text : all.split("\n\n")) {
        List<String[]> lines = text.lines().map(line -> line.split(" ")).toList();
        texts.add(
            new RecordedExit(
                lines.stream().map(RecordedExit::probabilities).toList(),
                lines.stream().map(words -> words[0].equals("=")).toList()));
      }
      return texts;
    } catch (IOException e) {
      throw new UncheckedIOException(FILE, e);
    }
  }

  private static double[] probabilities(String[] words) {
    return Arrays.stream(words).skip(1).mapToDouble(w -> Integer.parseInt(w) / SCALE).toArray();
  }
}

package dev.sortie.benchmarks.cold;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The English text that prompts are cut from and exits are tuned on. */
public final class PromptText {
  /** "The Golden Bird" by the brothers Grimm, in the public domain. */
  private static final String FILE = "golden-bird.txt";

  private static final EncodeOptions PLAIN = new EncodeOptions(false, false);

  private PromptText() {}

  /** All of it. */
  public static String all() {
    try (InputStream in = PromptText.class.getResourceAsStream(FILE)) {
      if (in == null) {
        throw new IllegalStateException(FILE + " is missing next to " + PromptText.class.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(FILE + " cannot be read", e);
    }
  }

  /**
   * A piece of exactly {@code count} tokens, special ones not counted. It is the text's beginning,
   * or, where the tokens of that are others when they stand alone, begins at a later word.
   *
   * @throws InputException if the text is too short for this tokenizer
   */
  public static String of(int count, Tokenizer tokenizer) {
    String text = all();
    for (int from = 0; from >= 0; from = nextWord(text, from)) {
      int[] ids = tokenizer.encode(text.substring(from), PLAIN);
      if (ids.length < count) {
        break;
      }
      String piece = tokenizer.decode(Arrays.copyOf(ids, count));
      if (tokenizer.encode(piece, PLAIN).length == count) {
        return piece;
      }
    }
    throw new InputException(
        "no piece of the text has %d tokens with this model's tokenizer; leave the case out with --case"
            .formatted(count));
  }

  private static int nextWord(String text, int from) {
    int space = text.indexOf(' ', from);
    return space < 0 ? -1 : space + 1;
  }
}

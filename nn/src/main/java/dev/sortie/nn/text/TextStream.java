package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.util.List;
import java.util.Optional;

/** Encodes a text in parts, each up to the last place where it can be cut ({@link TextCuts}). */
final class TextStream implements StreamEncoder {
  private static final int[] NONE = {};

  /** Text that is collected before a part is encoded. */
  private static final int PART = 1 << 20;

  /** A word that long takes the encoder some 600 MB. */
  private static final int LONGEST_WORD = 1 << 24;

  /** The longest text for tokenizers that need it as a whole. */
  private static final int LONGEST_TEXT = 1 << 28;

  private final SubwordTokenizer tokenizer;
  private final Optional<TextCuts> cuts;
  private final List<Integer> suffix;
  private final StringBuilder waiting = new StringBuilder();
  private List<Integer> prefix;

  /** Up to where no cut was found. */
  private int searched;

  TextStream(SubwordTokenizer tokenizer) {
    this.tokenizer = tokenizer;
    cuts = tokenizer.cuts();
    prefix = tokenizer.spec().template().prefix();
    suffix = tokenizer.spec().template().suffix();
  }

  @Override
  public int[] next(String part) {
    waiting.append(part);
    if (waiting.length() < PART || cuts.isEmpty()) {
      require(waiting.length() <= LONGEST_TEXT, LONGEST_TEXT);
      return NONE;
    }
    int leftOut = cuts.get().leftOut();
    int cut = cuts.get().last(waiting, searched);
    if (cut == 0) {
      searched = waiting.length() - leftOut;
      require(searched <= LONGEST_WORD, LONGEST_WORD);
      return NONE;
    }
    String text = waiting.substring(0, cut);
    waiting.delete(0, cut + leftOut);
    searched = 0;
    return ids(text, List.of());
  }

  private void require(boolean fits, int limit) {
    if (!fits) {
      throw new InputException(
          "%s: more than %d characters of text have no place where this tokenizer can cut them; give the text as several files"
              .formatted(tokenizer.spec().source(), limit));
    }
  }

  @Override
  public int[] finish() {
    String text = waiting.toString();
    waiting.setLength(0);
    return ids(text, suffix);
  }

  private int[] ids(String text, List<Integer> behind) {
    int[] plain = tokenizer.encode(text, EncodeOptions.PLAIN);
    if (prefix.isEmpty() && behind.isEmpty()) {
      return plain;
    }
    IntArrayList ids = new IntArrayList(plain.length + prefix.size() + behind.size());
    ids.addAll(prefix);
    ids.addElements(ids.size(), plain);
    ids.addAll(behind);
    prefix = List.of();
    return ids.toIntArray();
  }
}

package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.unicode.CharClass;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Cuts a text into pieces that the model merges each alone. */
public sealed interface PreTokenizer {

  /**
   * Gives the pieces in order.
   *
   * @param atStart whether {@code text} begins the whole input
   */
  void split(String text, boolean atStart, Consumer<String> pieces);

  /** One piece: the text. */
  record None() implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      pieces.accept(text);
    }
  }

  /**
   * The pre-tokenizer of byte-level BPE. The pieces stay characters here; the model spells them as
   * bytes.
   *
   * @param addPrefixSpace whether a piece that does not begin with a space is given one
   * @param useRegex whether the text is split with {@link SplitPattern#GPT2}
   */
  record ByteLevel(boolean addPrefixSpace, boolean useRegex) implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      String spaced = addPrefixSpace && !text.startsWith(" ") ? " " + text : text;
      if (useRegex) {
        scan(SplitPattern.GPT2, spaced, pieces);
      } else {
        pieces.accept(spaced);
      }
    }
  }

  /** Each match of a known expression is a piece. */
  record Split(SplitPattern pattern) implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      scan(pattern, text, pieces);
    }
  }

  /**
   * Cuts at a string.
   *
   * @param delimiter not empty
   * @param invert whether what stands between the delimiters is what {@code behavior} is about
   */
  record Delimiter(String delimiter, SplitBehavior behavior, boolean invert)
      implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      List<SplitBehavior.Segment> found = Delimiters.occurrences(text, delimiter);
      behavior.split(text, invert ? Delimiters.inverted(found) : found, pieces);
    }
  }

  /** Cuts at each character of punctuation: general category P, or any that ASCII calls so. */
  record Punctuation(SplitBehavior behavior) implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      behavior.split(text, Delimiters.characters(text, CharClass::isPunctuation), pieces);
    }
  }

  /** Cuts at white space, which is left out. */
  record WhitespaceSplit() implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      SplitBehavior.REMOVED.split(text, Delimiters.characters(text, CharClass::isSpace), pieces);
    }
  }

  /** Runs of word characters, and runs of others; white space is left out. */
  record Whitespace() implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      int start = 0;
      int kind = 0;
      int width;
      for (int i = 0; i < text.length(); i += width) {
        int c = text.codePointAt(i);
        width = Character.charCount(c);
        int next = CharClass.isWord(c) ? 1 : CharClass.isSpace(c) ? 0 : 2;
        if (next != kind) {
          if (kind != 0) {
            pieces.accept(text.substring(start, i));
          }
          start = i;
          kind = next;
        }
      }
      if (kind != 0) {
        pieces.accept(text.substring(start));
      }
    }
  }

  /** Cuts numbers off, one by one or in runs. */
  record Digits(boolean individual) implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      int start = 0;
      boolean inNumber = false;
      int width;
      for (int i = 0; i < text.length(); i += width) {
        int c = text.codePointAt(i);
        width = Character.charCount(c);
        boolean number = CharClass.isNumber(c);
        if (i > start && (number != inNumber || number && individual)) {
          pieces.accept(text.substring(start, i));
          start = i;
        }
        inNumber = number;
      }
      if (start < text.length()) {
        pieces.accept(text.substring(start));
      }
    }
  }

  /**
   * Spaces become a visible character, which begins each piece.
   *
   * @param replacement the visible character
   * @param prepend whether text that begins without it is given one
   * @param split whether the text is cut before each replacement
   */
  record Metaspace(char replacement, PrependScheme prepend, boolean split) implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      String visible = text.replace(' ', replacement);
      boolean wanted = prepend == PrependScheme.ALWAYS || prepend == PrependScheme.FIRST && atStart;
      if (wanted && (visible.isEmpty() || visible.charAt(0) != replacement)) {
        visible = replacement + visible;
      }
      int start = 0;
      if (split) {
        for (int i = 1; i < visible.length(); i++) {
          if (visible.charAt(i) == replacement) {
            pieces.accept(visible.substring(start, i));
            start = i;
          }
        }
      }
      pieces.accept(visible.substring(start));
    }
  }

  /** Where {@link Metaspace} puts its character before a text. */
  enum PrependScheme {
    /** Before the first text only. */
    FIRST,
    /** Before each text between added tokens. */
    ALWAYS,
    /** Nowhere. */
    NEVER
  }

  /** Each step cuts the pieces of the step before. */
  record Sequence(List<PreTokenizer> steps) implements PreTokenizer {
    /** Keeps a copy. */
    public Sequence {
      steps = List.copyOf(steps);
    }

    @Override
    public void split(String text, boolean atStart, Consumer<String> pieces) {
      split(0, text, atStart, pieces);
    }

    private void split(int step, String text, boolean atStart, Consumer<String> pieces) {
      if (step == steps.size()) {
        pieces.accept(text);
        return;
      }
      List<String> parts = new ArrayList<>();
      steps.get(step).split(text, atStart, parts::add);
      for (int i = 0; i < parts.size(); i++) {
        split(step + 1, parts.get(i), atStart && i == 0, pieces);
      }
    }
  }

  private static void scan(SplitPattern pattern, String text, Consumer<String> pieces) {
    for (int start = 0, end; start < text.length(); start = end) {
      end = pattern.end(text, start);
      pieces.accept(text.substring(start, end));
    }
  }
}

package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.unicode.CharClass;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Cuts a text into pieces that the model merges each alone. */
public sealed interface PreTokenizer {

  /**
   * Gives the pieces in order.
   *
   * @param atStart whether {@code text} begins the whole input
   * @param budget what it may still cost
   */
  void split(String text, boolean atStart, Budget budget, Consumer<String> pieces);

  /** One piece: the text. */
  record None() implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
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
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
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
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
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
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
      List<SplitBehavior.Segment> found = Delimiters.occurrences(text, delimiter, budget);
      behavior.split(text, invert ? Delimiters.inverted(found) : found, pieces);
    }
  }

  /** Cuts at each character of punctuation: general category P, or any that ASCII calls so. */
  record Punctuation(SplitBehavior behavior) implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
      behavior.split(text, Delimiters.characters(text, CharClass::isPunctuation), pieces);
    }
  }

  /** Cuts at white space, which is left out. */
  record WhitespaceSplit() implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
      SplitBehavior.REMOVED.split(text, Delimiters.characters(text, CharClass::isSpace), pieces);
    }
  }

  /** Runs of word characters, and runs of others; white space is left out. */
  record Whitespace() implements PreTokenizer {
    @Override
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
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
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
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
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
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
    /** Keeps a copy without sequences in it. */
    public Sequence {
      steps =
          steps.stream()
              .flatMap(step -> step instanceof Sequence s ? s.steps.stream() : Stream.of(step))
              .toList();
    }

    /** A piece goes through all steps before the next one is looked at, so that few wait. */
    @Override
    public void split(String text, boolean atStart, Budget budget, Consumer<String> pieces) {
      if (steps.size() < 2) {
        (steps.isEmpty() ? new None() : steps.getFirst()).split(text, atStart, budget, pieces);
        return;
      }
      List<Parts> open = new ArrayList<>(steps.size() - 1);
      open.add(new Parts());
      cut(0, text, atStart, budget, open.getFirst());
      for (int step = 0; step >= 0; ) {
        Parts parts = open.get(step);
        if (!parts.hasNext()) {
          step--;
          continue;
        }
        boolean first = parts.isFirst();
        String part = parts.next();
        budget.text(part.length());
        step++;
        if (step == steps.size() - 1) {
          budget.at("pre_tokenizer", step + 1);
          steps.get(step).split(part, first, budget, pieces);
          step--;
        } else {
          if (open.size() == step) {
            open.add(new Parts());
          }
          cut(step, part, first, budget, open.get(step));
        }
      }
    }

    private void cut(int step, String text, boolean atStart, Budget budget, Parts into) {
      budget.at("pre_tokenizer", step + 1);
      into.begin(atStart);
      steps.get(step).split(text, atStart, budget, into.list::add);
    }

    /** What a step made of one piece, until the next step has taken it. */
    private static final class Parts {
      private final List<String> list = new ArrayList<>();
      private boolean atStart;
      private int next;

      void begin(boolean startsInput) {
        list.clear();
        atStart = startsInput;
        next = 0;
      }

      boolean hasNext() {
        return next < list.size();
      }

      /** Whether the next part begins the whole input. */
      boolean isFirst() {
        return atStart && next == 0;
      }

      String next() {
        return list.get(next++);
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

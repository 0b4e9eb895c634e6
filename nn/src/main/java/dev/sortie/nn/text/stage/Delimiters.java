package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.stage.SplitBehavior.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Finds the delimiters of a text. */
final class Delimiters {
  private final List<Segment> list = new ArrayList<>();
  private final int length;
  private int done;

  private Delimiters(int length) {
    this.length = length;
  }

  /** Each character that {@code isDelimiter} holds for is a delimiter of its own. */
  static List<Segment> characters(String text, IntPredicate isDelimiter) {
    Delimiters found = new Delimiters(text.length());
    int width;
    for (int i = 0; i < text.length(); i += width) {
      int c = text.codePointAt(i);
      width = Character.charCount(c);
      if (isDelimiter.test(c)) {
        found.delimiter(i, i + width);
      }
    }
    return found.end();
  }

  /** Each occurrence of a string that is not empty, from left to right. */
  static List<Segment> occurrences(String text, String delimiter, Budget budget) {
    Delimiters found = new Delimiters(text.length());
    int i = Search.indexOf(text, delimiter, 0, budget);
    while (i >= 0) {
      found.delimiter(i, i + delimiter.length());
      i = Search.indexOf(text, delimiter, i + delimiter.length(), budget);
    }
    return found.end();
  }

  /** The same segments with the other ones as delimiters. */
  static List<Segment> inverted(List<Segment> segments) {
    return segments.stream().map(s -> new Segment(s.start(), s.end(), !s.delimiter())).toList();
  }

  private void delimiter(int start, int end) {
    if (done < start) {
      list.add(new Segment(done, start, false));
    }
    list.add(new Segment(start, end, true));
    done = end;
  }

  private List<Segment> end() {
    if (done < length) {
      list.add(new Segment(done, length, false));
    }
    return list;
  }
}

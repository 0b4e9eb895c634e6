package dev.sortie.eetuning.decode.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A set of characters.
 *
 * @param ranges that do not touch each other, rising
 */
public record CodePoints(List<Range> ranges) {
  /** All characters. */
  public static final CodePoints ALL =
      new CodePoints(List.of(new Range(0, Character.MAX_CODE_POINT)));

  /**
   * Characters in a row. Surrogates are no characters: they may lie between, and are not meant.
   *
   * @param first code point of the first
   * @param last code point of the last
   */
  public record Range(int first, int last) {
    public Range {
      if (first < 0 || last < first || last > Character.MAX_CODE_POINT) {
        throw new IllegalArgumentException(first + " to " + last);
      }
    }
  }

  public CodePoints {
    ranges = joined(ranges);
  }

  private static List<Range> joined(List<Range> ranges) {
    List<Range> sorted = ranges.stream().sorted(Comparator.comparingInt(Range::first)).toList();
    List<Range> joined = new ArrayList<>();
    for (Range r : sorted) {
      if (!joined.isEmpty() && r.first() <= joined.getLast().last() + 1) {
        Range before = joined.removeLast();
        joined.add(new Range(before.first(), Math.max(before.last(), r.last())));
      } else {
        joined.add(r);
      }
    }
    return List.copyOf(joined);
  }

  /** The characters from the one to the other. */
  public static CodePoints range(int first, int last) {
    return new CodePoints(List.of(new Range(first, last)));
  }

  /** All other characters. */
  public CodePoints complement() {
    List<Range> others = new ArrayList<>();
    int next = 0;
    for (Range r : ranges) {
      if (r.first() > next) {
        others.add(new Range(next, r.first() - 1));
      }
      next = r.last() + 1;
    }
    if (next <= Character.MAX_CODE_POINT) {
      others.add(new Range(next, Character.MAX_CODE_POINT));
    }
    return new CodePoints(others);
  }

  /** These without one. */
  public CodePoints without(int codePoint) {
    List<Range> excluded = new ArrayList<>(complement().ranges());
    excluded.add(new Range(codePoint, codePoint));
    return new CodePoints(excluded).complement();
  }

  /** Whether it is one of them. */
  public boolean contains(int codePoint) {
    return ranges.stream().anyMatch(r -> r.first() <= codePoint && codePoint <= r.last());
  }
}

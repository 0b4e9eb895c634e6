package dev.sortie.nn.text.unicode;

import it.unimi.dsi.fastutil.ints.Int2IntOpenHashMap;
import it.unimi.dsi.fastutil.ints.IntOpenHashSet;
import java.text.Normalizer;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The Unicode normalisation forms in time that grows with the text. The JDK puts the marks of a
 * character in order by inserting one after another: 80,000 marks take it four seconds, and ten
 * times that many a hundred times as long. So long runs of marks are put in order before, which
 * changes no result: the order is what normalisation itself gives (Unicode Standard Annex 15).
 */
public final class UnicodeForms {
  /** Runs of fewer marks cost the JDK little; real text has some ten at most. */
  static final int LONG_RUN = 256;

  // Marks of the least and the greatest combining class.
  private static final int LEAST = 0x0334;
  private static final int GREATEST = 0x0345;

  private UnicodeForms() {}

  /** The text in a normal form. */
  public static String normalize(String text, Form form) {
    List<int[]> runs = longRuns(text);
    return Normalizer.normalize(runs.isEmpty() ? text : ordered(text, runs, form), form);
  }

  /** Start and end of each long run of marks. */
  private static List<int[]> longRuns(String text) {
    List<int[]> runs = new ArrayList<>();
    int start = 0;
    int width;
    for (int i = 0; i < text.length(); i += width) {
      int c = text.codePointAt(i);
      width = Character.charCount(c);
      if (c < 0x300 || !isPartOfRun(c)) {
        add(runs, start, i);
        start = i + width;
      }
    }
    add(runs, start, text.length());
    return runs;
  }

  private static void add(List<int[]> runs, int start, int end) {
    if (end - start > LONG_RUN) {
      runs.add(new int[] {start, end});
    }
  }

  /** A mark, or one of the two letters that become marks in the compatibility forms. */
  public static boolean isPartOfRun(int c) {
    return CharClass.isMark(c) || c == 0xFF9E || c == 0xFF9F;
  }

  private static String ordered(String text, List<int[]> runs, Form form) {
    boolean compatibility = form == Form.NFKC || form == Form.NFKD;
    Form decomposition = compatibility ? Form.NFKD : Form.NFD;
    List<int[]> decomposed = new ArrayList<>();
    IntOpenHashSet marks = new IntOpenHashSet();
    for (int[] run : runs) {
      int[] characters =
          text.substring(run[0], run[1])
              .codePoints()
              .flatMap(c -> Normalizer.normalize(Character.toString(c), decomposition).codePoints())
              .toArray();
      decomposed.add(characters);
      for (int c : characters) {
        marks.add(c);
      }
    }
    Int2IntOpenHashMap classes = classes(marks);
    StringBuilder out = new StringBuilder(text.length());
    int done = 0;
    for (int r = 0; r < runs.size(); r++) {
      out.append(text, done, runs.get(r)[0]);
      appendOrdered(decomposed.get(r), classes, out);
      done = runs.get(r)[1];
    }
    return out.append(text, done, text.length()).toString();
  }

  /**
   * Marks by their class, those of one class in the order of the text; a starter stays in place.
   */
  private static void appendOrdered(int[] run, Int2IntOpenHashMap classes, StringBuilder out) {
    List<Integer> waiting = new ArrayList<>();
    for (int c : run) {
      if (classes.get(c) != 0) {
        waiting.add(c);
        continue;
      }
      flush(waiting, classes, out);
      out.appendCodePoint(c);
    }
    flush(waiting, classes, out);
  }

  private static void flush(List<Integer> waiting, Int2IntOpenHashMap classes, StringBuilder out) {
    waiting.sort(Comparator.comparingInt((Integer c) -> classes.get(c.intValue())));
    waiting.forEach(out::appendCodePoint);
    waiting.clear();
  }

  /** A number for each mark, in the order of the combining classes; 0 for starters. */
  private static Int2IntOpenHashMap classes(IntOpenHashSet marks) {
    List<Integer> sorted = new ArrayList<>();
    marks.forEach(
        c -> {
          if (swaps(c, LEAST) || swaps(GREATEST, c)) {
            sorted.add(c);
          }
        });
    sorted.sort((a, b) -> swaps(b, a) ? -1 : swaps(a, b) ? 1 : 0);
    Int2IntOpenHashMap classes = new Int2IntOpenHashMap();
    for (int i = 0; i < sorted.size(); i++) {
      int c = sorted.get(i);
      boolean same = i > 0 && !swaps(c, sorted.get(i - 1)) && !swaps(sorted.get(i - 1), c);
      classes.put(c, same ? classes.get(sorted.get(i - 1).intValue()) : i + 1);
    }
    return classes;
  }

  /** Whether normalisation puts {@code second} before {@code first}. */
  private static boolean swaps(int first, int second) {
    String pair = Character.toString(first) + Character.toString(second);
    return first != second && Normalizer.normalize(pair, Form.NFD).codePointAt(0) == second;
  }
}

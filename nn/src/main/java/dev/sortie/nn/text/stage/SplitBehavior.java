package dev.sortie.nn.text.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What becomes of the delimiters that a text is cut at, by the names of {@code tokenizer.json}. */
public enum SplitBehavior {
  /** They are left out. */
  REMOVED("Removed"),
  /** Each is a piece. */
  ISOLATED("Isolated"),
  /** Each goes to the piece before it. */
  MERGED_WITH_PREVIOUS("MergedWithPrevious"),
  /** Each goes to the piece after it. */
  MERGED_WITH_NEXT("MergedWithNext"),
  /** Neighbours are one piece. */
  CONTIGUOUS("Contiguous");

  private final String word;

  SplitBehavior(String word) {
    this.word = word;
  }

  /** The name in files. */
  public String word() {
    return word;
  }

  /** A stretch of a text, a delimiter or what stands between two. */
  record Stretch(int start, int end, boolean delimiter) {}

  /** Gives the pieces of {@code text}, whose stretches come in order and have no gaps. */
  void split(String text, List<Stretch> stretches, Consumer<String> pieces) {
    List<Stretch> left =
        switch (this) {
          case REMOVED -> stretches.stream().filter(s -> !s.delimiter()).toList();
          case ISOLATED -> stretches;
          case MERGED_WITH_PREVIOUS -> mergedWithPrevious(stretches);
          case MERGED_WITH_NEXT -> mergedWithNext(stretches);
          case CONTIGUOUS -> contiguous(stretches);
        };
    for (Stretch s : left) {
      if (s.start() < s.end()) {
        pieces.accept(text.substring(s.start(), s.end()));
      }
    }
  }

  /** Only the first of several delimiters in a row goes to the piece before it. */
  private static List<Stretch> mergedWithPrevious(List<Stretch> stretches) {
    List<Stretch> out = new ArrayList<>();
    boolean afterDelimiter = false;
    for (Stretch s : stretches) {
      if (s.delimiter() && !afterDelimiter && !out.isEmpty()) {
        out.set(out.size() - 1, new Stretch(out.getLast().start(), s.end(), false));
      } else {
        out.add(s);
      }
      afterDelimiter = s.delimiter();
    }
    return out;
  }

  /** Only the last of several delimiters in a row goes to the piece after it. */
  private static List<Stretch> mergedWithNext(List<Stretch> stretches) {
    List<Stretch> out = new ArrayList<>();
    for (int i = 0; i < stretches.size(); i++) {
      Stretch s = stretches.get(i);
      if (s.delimiter() && i + 1 < stretches.size() && !stretches.get(i + 1).delimiter()) {
        i++;
        out.add(new Stretch(s.start(), stretches.get(i).end(), false));
      } else {
        out.add(s);
      }
    }
    return out;
  }

  private static List<Stretch> contiguous(List<Stretch> stretches) {
    List<Stretch> out = new ArrayList<>();
    for (Stretch s : stretches) {
      if (!out.isEmpty() && out.getLast().delimiter() == s.delimiter()) {
        out.set(out.size() - 1, new Stretch(out.getLast().start(), s.end(), s.delimiter()));
      } else {
        out.add(s);
      }
    }
    return out;
  }
}

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

  /** A segment of a text, a delimiter or what stands between two. */
  record Segment(int start, int end, boolean delimiter) {}

  /** Gives the pieces of {@code text}, whose segments come in order and have no gaps. */
  void split(String text, List<Segment> segments, Consumer<String> pieces) {
    List<Segment> left =
        switch (this) {
          case REMOVED -> segments.stream().filter(s -> !s.delimiter()).toList();
          case ISOLATED -> segments;
          case MERGED_WITH_PREVIOUS -> mergedWithPrevious(segments);
          case MERGED_WITH_NEXT -> mergedWithNext(segments);
          case CONTIGUOUS -> contiguous(segments);
        };
    for (Segment s : left) {
      if (s.start() < s.end()) {
        pieces.accept(text.substring(s.start(), s.end()));
      }
    }
  }

  /** Only the first of several delimiters in a row goes to the piece before it. */
  private static List<Segment> mergedWithPrevious(List<Segment> segments) {
    List<Segment> out = new ArrayList<>();
    boolean afterDelimiter = false;
    for (Segment s : segments) {
      if (s.delimiter() && !afterDelimiter && !out.isEmpty()) {
        out.set(out.size() - 1, new Segment(out.getLast().start(), s.end(), false));
      } else {
        out.add(s);
      }
      afterDelimiter = s.delimiter();
    }
    return out;
  }

  /** Only the last of several delimiters in a row goes to the piece after it. */
  private static List<Segment> mergedWithNext(List<Segment> segments) {
    List<Segment> out = new ArrayList<>();
    for (int i = 0; i < segments.size(); i++) {
      Segment s = segments.get(i);
      if (s.delimiter() && i + 1 < segments.size() && !segments.get(i + 1).delimiter()) {
        i++;
        out.add(new Segment(s.start(), segments.get(i).end(), false));
      } else {
        out.add(s);
      }
    }
    return out;
  }

  private static List<Segment> contiguous(List<Segment> segments) {
    List<Segment> out = new ArrayList<>();
    for (Segment s : segments) {
      if (!out.isEmpty() && out.getLast().delimiter() == s.delimiter()) {
        out.set(out.size() - 1, new Segment(out.getLast().start(), s.end(), s.delimiter()));
      } else {
        out.add(s);
      }
    }
    return out;
  }
}

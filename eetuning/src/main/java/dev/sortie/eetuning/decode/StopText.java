package dev.sortie.eetuning.decode;

import java.util.List;

/** Watches a growing text for stop strings, and holds back what may be the beginning of one. */
final class StopText {
  private final List<String> stops;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  StopText(List<String> stops) {
    this.stops = stops;
  }

  /**
   * Takes more text; returns what may be shown now. The stop string that is complete first counts,
   * of two complete at once the longer, so that the text does not depend on its cut into tokens.
   */
  String add(String more) {
    held.append(more);
    int first = -1;
    int end = Integer.MAX_VALUE;
    for (String s : stops) {
      int at = held.indexOf(s);
      if (at >= 0 && (at + s.length() < end || (at + s.length() == end && at < first))) {
        first = at;
        end = at + s.length();
      }
    }
    if (first >= 0) {
      found = true;
      return take(first);
    }
    return take(held.length() - possible());
  }

  /** What is still held back when the text ends. */
  String rest() {
    return found ? "" : take(held.length());
  }

  /** Whether a stop string was met. */
  boolean found() {
    return found;
  }

  /** Length of the longest end of the text that begins a stop string. */
  private int possible() {
    int longest = 0;
    for (String s : stops) {
      for (int n = Math.min(s.length() - 1, held.length()); n > longest; n--) {
        if (s.startsWith(held.substring(held.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }

  private String take(int count) {
    String out = held.substring(0, count);
    held.delete(0, count);
    return out;
  }
}

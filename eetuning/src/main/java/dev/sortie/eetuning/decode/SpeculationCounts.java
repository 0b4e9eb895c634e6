package dev.sortie.eetuning.decode;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Counts what speculation did. */
final class SpeculationCounts {
  private final List<String> names;
  private final int[] guessed;
  private final int[] right;
  private int passes;
  private int rows;

  SpeculationCounts(List<String> names) {
    this.names = names;
    this.guessed = new int[names.size()];
    this.right = new int[names.size()];
  }

  /** A pass over one token and {@code draft} guesses of {@code source}, -1 for none. */
  void pass(int source, int draft) {
    passes++;
    rows += 1 + draft;
    if (draft > 0) {
      guessed[source] += draft;
    }
  }

  /** A guess of {@code source} was right. */
  void right(int source) {
    right[source]++;
  }

  SpeculationReport report() {
    Map<String, SpeculationReport.Guesses> bySource = new LinkedHashMap<>();
    for (int i = 0; i < guessed.length; i++) {
      bySource.put(names.get(i), new SpeculationReport.Guesses(guessed[i], right[i]));
    }
    return new SpeculationReport(passes, rows, bySource);
  }
}

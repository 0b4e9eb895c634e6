package dev.sortie.eetuning.decode.batch;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Decides how many draft tokens each of several texts has read in one pass: those that promise the
 * most tokens per second of all texts, by how often the draft tokens of each are right and by
 * measured times of passes. Of the draft tokens offered, those that are most likely right are taken
 * first, so the best choice is one of as many as there are draft tokens.
 */
final class BatchDraftLengths {
  /**
   * More have no drafts: a row more must pay against the tokens of all, and on SmolLM2-135M hardly
   * any is right so often.
   */
  private static final int MOST_TEXTS = 4;

  /** What drafts must promise over none: less is noise. */
  private static final double MARGIN = 1.03;

  /** Passes of which one has no drafts, for each number of texts. */
  private static final int PLAIN_EVERY = 64;

  private final int most;
  private final PassTimes times;

  /** Since the last pass without drafts of so many texts. */
  private final int[] sincePlain;

  /** Texts of the last pass, and its rows. */
  private int texts;

  private int rows;

  /**
   * Nothing is measured.
   *
   * @param most rows of a pass, draft tokens included
   */
  BatchDraftLengths(int most) {
    this.most = most;
    this.times = new PassTimes(most);
    this.sincePlain = new int[most + 1];
  }

  /**
   * How many draft tokens so many texts can have read in one pass; who may have none need not look.
   */
  int most(int texts) {
    return texts > MOST_TEXTS ? 0 : most - texts;
  }

  /** A draft token of text {@code text}, right with this probability. */
  private record Candidate(int text, double right) {}

  /**
   * How many draft tokens each text has read with its token.
   *
   * @param offers by text, how many of 0, 1, … draft tokens are expected to be right; all at full
   *     depth
   */
  int[] counts(List<double[]> offers) {
    int[] counts = new int[offers.size()];
    texts = counts.length;
    rows = texts;
    int room = most(texts);
    if (room == 0 || sincePlain[texts] >= PLAIN_EVERY || !times.knows(texts)) {
      return counts;
    }
    List<Candidate> offered = new ArrayList<>();
    for (int i = 0; i < texts; i++) {
      double[] right = offers.get(i);
      for (int k = 1; k < right.length; k++) {
        offered.add(new Candidate(i, right[k] - right[k - 1]));
      }
    }
    offered.sort(Comparator.comparingDouble(Candidate::right).reversed());
    int best = 0;
    double bestRate = MARGIN * texts / times.of(texts);
    double expected = texts;
    for (int n = 1; n <= Math.min(offered.size(), room); n++) {
      expected += offered.get(n - 1).right();
      double rate = expected / times.of(texts + n);
      if (rate > bestRate) {
        best = n;
        bestRate = rate;
      }
    }
    offered.subList(0, best).forEach(c -> counts[c.text()]++);
    rows += best;
    return counts;
  }

  /** The pass with the last counts took so long. */
  void took(double seconds) {
    if (rows <= most) {
      times.add(rows, seconds);
      sincePlain[texts] = rows == texts ? 0 : sincePlain[texts] + 1;
    }
  }
}

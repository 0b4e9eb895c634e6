package dev.sortie.benchmarks.cold;

import java.util.List;

/** A kind of start that is measured. */
public interface ColdCase {
  /** Its name. */
  String name();

  /**
   * Measures it, both sides in turns if there is a peer.
   *
   * @param rounds samples of each side
   */
  Measured measure(int rounds);

  /**
   * What was measured.
   *
   * @param peer with its version; empty if there is none
   * @param rows one for each moment that was waited for
   */
  record Measured(String peer, List<ColdRow> rows) {}
}

package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import java.util.List;

/** Ours against a peer in one run. */
public interface Comparison {

  /**
   * The rows of a comparison.
   *
   * @param peer the peer with its version
   */
  record Measured(String peer, List<Row> rows) {}

  /**
   * Measures the cases asked for, in turns, and checks that both sides computed the same.
   *
   * @throws dev.sortie.nn.InputException if the peer is missing or the cases are unknown
   * @throws DisagreementException if the two sides' results differ
   */
  Measured run(Settings settings, Limits limits);
}

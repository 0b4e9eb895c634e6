package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.SpeculationReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Counts what speculation did. */
final class SpeculationCounts {
  private final List<String> names;
  private final List<SpeculationReport.Pass> trace = new ArrayList<>();

  SpeculationCounts(List<String> names) {
    this.names = names;
  }

  /**
   * A pass.
   *
   * @param position of its first row
   * @param source that was asked for {@code asked} tokens, -1 for none
   * @param drafted draft tokens verified
   * @param looks tokens that a source which gives probabilities was asked about
   */
  void pass(int position, int source, int asked, int drafted, int looks) {
    String name = source < 0 ? "" : names.get(source);
    trace.add(new SpeculationReport.Pass(position, name, asked, drafted, 0, looks, 0));
  }

  /** The last pass took so much longer, drafting included. */
  void took(double seconds) {
    trace.add(trace.removeLast().plus(0, seconds));
  }

  /** A draft token of the last pass was right. */
  void right() {
    trace.add(trace.removeLast().plus(1, 0));
  }

  SpeculationReport report() {
    Map<String, SpeculationReport.DraftCounts> bySource = new LinkedHashMap<>();
    names.forEach(n -> bySource.put(n, new SpeculationReport.DraftCounts(0, 0)));
    for (SpeculationReport.Pass p : trace) {
      if (!p.source().isEmpty()) {
        bySource.merge(
            p.source(),
            new SpeculationReport.DraftCounts(p.drafted(), p.accepted()),
            (a, b) ->
                new SpeculationReport.DraftCounts(
                    a.verified() + b.verified(), a.accepted() + b.accepted()));
      }
    }
    return new SpeculationReport(trace, bySource);
  }
}

package dev.sortie.eetuning.decode;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What speculation did, prompts apart.
 *
 * @param trace the passes through the whole model, in order
 * @param sources by name, in the order given
 */
public record SpeculationReport(List<Pass> trace, Map<String, DraftCounts> sources) {
  /** Where nothing is drafted. */
  public static final SpeculationReport NONE = new SpeculationReport(List.of(), Map.of());

  public SpeculationReport {
    trace = List.copyOf(trace);
    sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
  }

  /** Passes through the whole model. */
  public int passes() {
    return trace.size();
  }

  /** Tokens in them, draft tokens included. */
  public int rows() {
    return trace.size() + trace.stream().mapToInt(Pass::drafted).sum();
  }

  /**
   * Draft tokens of one source.
   *
   * @param verified that a pass verified
   * @param accepted that turned out right
   */
  public record DraftCounts(int verified, int accepted) {}

  /**
   * One pass.
   *
   * @param position of the token just chosen, the first row
   * @param source that was asked; empty for none
   * @param asked tokens it was asked for; it may give fewer
   * @param drafted draft tokens verified
   * @param accepted how many of them turned out right
   * @param looks tokens that a source which gives probabilities was asked about before the pass,
   *     whichever source drafted in the end; 0 if it was not asked
   * @param seconds time for drafting and the pass
   */
  public record Pass(
      int position,
      String source,
      int asked,
      int drafted,
      int accepted,
      int looks,
      double seconds) {

    /** The same pass, with more draft tokens that turned out right and more time. */
    public Pass plus(int right, double time) {
      return new Pass(position, source, asked, drafted, accepted + right, looks, seconds + time);
    }
  }
}

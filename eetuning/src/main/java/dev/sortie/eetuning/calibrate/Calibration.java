package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.EarlyExitCost;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.nn.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Chooses thresholds: candidates are tested for their risk, and of those certified the one with the
 * highest predicted speed is taken.
 *
 * @param guarantee what is guaranteed
 * @param risk what is bounded
 * @param perExit whether each exit gets a threshold of its own; these are sought on a share of the
 *     sequences, which then do not count for the guarantee
 * @param table costs on this machine
 */
public record Calibration(Guarantee guarantee, Risk risk, boolean perExit, CostTable table) {
  /** One sequence of this many seeks thresholds of their own for the exits. */
  private static final int TUNING_EVERY = 4;

  /**
   * A candidate that was tested, and what it would do.
   *
   * @param tested the test
   * @param earlyShare share of tokens that leave early
   * @param speedup over full depth, predicted
   */
  public record Outcome(Guarantee.Tested tested, double earlyShare, double speedup) {}

  /**
   * What came out.
   *
   * @param outcomes candidates tested, safest first; the last may have failed
   * @param chosen the fastest of those certified; empty if none was
   * @param sequences sequences that the guarantee rests on
   * @param tokens their tokens
   */
  public record Result(
      List<Outcome> outcomes, Optional<Outcome> chosen, int sequences, long tokens) {}

  /** Fails early where no outcome could be certified, with the number of sequences to bring. */
  public void require(int sequences) {
    int fewest = guarantee.fewest();
    int counted = perExit ? sequences - (sequences + TUNING_EVERY - 1) / TUNING_EVERY : sequences;
    if (counted < fewest) {
      throw new InputException(
          "%d sequences cannot certify --level %s %s%s: at least %d are needed, and more for a useful threshold; give more --data, or a higher --level"
              .formatted(
                  counted,
                  guarantee.level(),
                  guarantee.condition(),
                  perExit ? " (a quarter seeks the thresholds of --per-exit)" : "",
                  fewest));
    }
  }

  /** Calibrates on these sequences. */
  public Result run(List<Trajectory> sequences) {
    require(sequences.size());
    List<Trajectory> tuning = new ArrayList<>();
    List<Trajectory> testing = new ArrayList<>();
    for (int i = 0; i < sequences.size(); i++) {
      (perExit && i % TUNING_EVERY == 0 ? tuning : testing).add(sequences.get(i));
    }
    List<Candidate> path =
        perExit
            ? new ThresholdPath(tuning, c -> foreseen(c, tuning).early()).candidates()
            : Candidate.shared(sequences.getFirst().depths());
    List<Outcome> outcomes = new ArrayList<>();
    Outcome chosen = null;
    for (Guarantee.Tested tested : guarantee.run(path, testing, risk)) {
      Outcome outcome = outcome(tested, testing);
      outcomes.add(outcome);
      if (tested.certified() && (chosen == null || outcome.speedup() >= chosen.speedup())) {
        chosen = outcome;
      }
    }
    long tokens = testing.stream().mapToLong(Trajectory::tokens).sum();
    return new Result(outcomes, Optional.ofNullable(chosen), testing.size(), tokens);
  }

  /** Seconds of decoding sequences at full depth and with exits, and tokens that leave early. */
  private record Foreseen(double full, double early, long left, long tokens) {}

  private Outcome outcome(Guarantee.Tested tested, List<Trajectory> sequences) {
    Foreseen f = foreseen(tested.candidate().thresholds(), sequences);
    return new Outcome(tested, (double) f.left() / f.tokens(), f.full() / f.early());
  }

  private Foreseen foreseen(SequencedMap<Integer, Double> thresholds, List<Trajectory> sequences) {
    List<Integer> active = new ExitThresholds(thresholds).asked();
    EarlyExitCost cost = new EarlyExitCost(table, active, EarlyExit.MAX_PENDING, true);
    double full = 0;
    double early = 0;
    long left = 0;
    long tokens = 0;
    for (Trajectory t : sequences) {
      int[] exits = t.exits(thresholds);
      early += cost.seconds(table.position(), exits, t.rows());
      for (int i = 0; i < exits.length; i++) {
        full += table.fullDepth(table.position() + i);
        left += exits[i] > 0 ? 1 : 0;
      }
      tokens += exits.length;
    }
    return new Foreseen(full, early, left, tokens);
  }
}

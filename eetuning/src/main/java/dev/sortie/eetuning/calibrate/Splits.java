package dev.sortie.eetuning.calibrate;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;

/**
 * What thresholds do on sequences that they were not calibrated on: calibration is repeated on
 * random two thirds of the sequences, and its thresholds are measured on the others, as papers on
 * risk control test their guarantees (such as Jazbec et al. 2024, arXiv 2405.20915, section 5).
 * Where nothing is certified, no token leaves and nothing is lost.
 *
 * @param calibration that is repeated
 * @param count repetitions, 1 and more
 */
public record Splits(Calibration calibration, int count) {
  private static final long SEED = 1;

  /** One sequence of this many is held out. */
  private static final int HELD_OUT = 3;

  public Splits {
    if (count < 1) {
      throw new UsageException("--splits " + count + " must be at least 1");
    }
  }

  /**
   * Means over all repetitions.
   *
   * @param count repetitions
   * @param sequences that each calibrates on
   * @param heldOut sequences that each is measured on
   * @param certified share of repetitions that certify something
   * @param risk mean over the held-out sequences
   * @param above share of repetitions whose risk is above the level; it is measured on few
   *     sequences, so it scatters around the risk that the guarantee is about
   * @param earlyShare share of held-out tokens that leave early
   */
  public record Result(
      int count,
      int sequences,
      int heldOut,
      double certified,
      double risk,
      double above,
      double earlyShare) {}

  /** Fails early where none is held out, or the others cannot certify anything. */
  public void require(int sequences) {
    if (sequences < HELD_OUT) {
      throw new InputException(
          "--splits holds out a third of the sequences, and there are %d; give at least %d by --data"
              .formatted(sequences, HELD_OUT));
    }
    calibration.require(sequences - sequences / HELD_OUT);
  }

  /** Repeats the calibration on these sequences; the same sequences give the same result. */
  public Result run(List<Trajectory> sequences) {
    require(sequences.size());
    List<Trajectory> shuffled = new ArrayList<>(sequences);
    Random random = new Random(SEED);
    int heldOut = sequences.size() / HELD_OUT;
    int certified = 0;
    int above = 0;
    double risk = 0;
    double early = 0;
    for (int i = 0; i < count; i++) {
      Collections.shuffle(shuffled, random);
      Optional<Calibration.Outcome> chosen =
          calibration.run(shuffled.subList(heldOut, shuffled.size())).chosen();
      if (chosen.isEmpty()) {
        continue;
      }
      var thresholds = chosen.get().tested().candidate().thresholds();
      List<Trajectory> others = shuffled.subList(0, heldOut);
      double measured = risk(others, thresholds);
      certified++;
      risk += measured;
      above += measured > calibration.guarantee().level() ? 1 : 0;
      early += earlyShare(others, thresholds);
    }
    return new Result(
        count,
        sequences.size() - heldOut,
        heldOut,
        (double) certified / count,
        risk / count,
        (double) above / count,
        early / count);
  }

  private double risk(List<Trajectory> sequences, SequencedMap<Integer, Double> thresholds) {
    return sequences.stream()
        .mapToDouble(t -> calibration.risk().bounded(t.meanLoss(thresholds)))
        .average()
        .orElseThrow();
  }

  private static double earlyShare(
      List<Trajectory> sequences, SequencedMap<Integer, Double> thresholds) {
    long left = 0;
    long tokens = 0;
    for (Trajectory t : sequences) {
      for (int depth : t.exits(thresholds)) {
        left += depth > 0 ? 1 : 0;
        tokens++;
      }
    }
    return (double) left / tokens;
  }
}

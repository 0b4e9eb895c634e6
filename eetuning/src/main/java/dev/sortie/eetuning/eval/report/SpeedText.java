package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.eval.MeasurementError;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.Technique;

/** What may be said of a measured speed-up. */
public final class SpeedText {
  private SpeedText() {}

  /** How sure the speed-ups of a run are, as one or two sentences. */
  public static String error(MeasurementError e) {
    if (!e.isKnown()) {
      return "%s %s per setting are too few to find the error of the measurement, so no speed-up is called a gain; give more prompts or rounds."
          .formatted(e.pairs(), e.pairs() == 1 ? "pair" : "pairs");
    }
    return "Each speed-up is the median of %s pairs. Settings that change nothing came out at %s× to %s×. The error of the measurement is %s, found from the single pairs of those settings: a speed-up that is nearer to 1 is not called a gain."
        .formatted(
            e.pairs(),
            NumberText.fixed(e.least(), 3),
            NumberText.fixed(e.most(), 3),
            NumberText.percent(e.value()));
  }

  /** Gain, loss or neither; of settings that change nothing, that they do so. */
  public static String verdict(SweepPoint p, MeasurementError e) {
    return p.technique() == Technique.NONE ? "changes nothing" : e.verdict(p.speedup()).label();
  }
}

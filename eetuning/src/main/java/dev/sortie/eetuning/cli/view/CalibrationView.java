package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.calibrate.Calibration;
import dev.sortie.eetuning.calibrate.Guarantee;
import dev.sortie.eetuning.calibrate.Splits;
import dev.sortie.nn.json.Json;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a calibration found. */
public final class CalibrationView {
  private CalibrationView() {}

  /** The candidates that were tested. */
  public static void print(Calibration.Result r, Guarantee promise, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "%d sequences, %d tokens%n%9s %9s %9s %12s %19s  %s%n",
        r.sequences(),
        r.tokens(),
        "candidate",
        "risk",
        promise.scoreName(),
        "leave early",
        "predicted speed-up",
        "thresholds");
    for (Calibration.Outcome o : r.outcomes()) {
      out.printf(
          Locale.ROOT,
          "%9.4g %9.4f %9.2g %11.1f%% %18.2fx  %s%s%n",
          o.tested().candidate().name(),
          o.tested().risk(),
          o.tested().score(),
          100 * o.earlyShare(),
          o.speedup(),
          words(o.tested().candidate().thresholds()),
          o.tested().certified() ? "" : "  not certified");
    }
  }

  /** How repeated calibrations did on held-out sequences. */
  public static void print(Splits.Result r, Calibration calibration, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "%d random splits, thresholds from %d sequences and measured on the other %d: %s %.4f on"
            + " average, above %s in %.1f%% of the splits; %.1f%% of the tokens leave early; %.1f%%"
            + " of the splits certify a threshold%n",
        r.count(),
        r.sequences(),
        r.heldOut(),
        calibration.risk().word(),
        r.risk(),
        calibration.guarantee().level(),
        100 * r.above(),
        100 * r.earlyShare(),
        100 * r.certified());
  }

  /** The same for programs. */
  public static Map<String, Object> json(Splits.Result r) {
    return Json.object(
        "count",
        r.count(),
        "sequences",
        r.sequences(),
        "held_out",
        r.heldOut(),
        "certified",
        r.certified(),
        "risk",
        r.risk(),
        "above_level",
        r.above(),
        "early_share",
        r.earlyShare());
  }

  /** Thresholds by depth. */
  public static String words(Map<Integer, Double> thresholds) {
    List<String> words = new ArrayList<>();
    thresholds.forEach((depth, x) -> words.add(String.format(Locale.ROOT, "%d: %.4g", depth, x)));
    return String.join(", ", words);
  }
}

package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.host.Machine;
import dev.sortie.eetuning.plot.LossPlot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.TreeMap;

/** Invented results with hostile texts, for tests of the files that show results. */
public final class SampleResults {
  public static final String HOSTILE = " <script>alert('x')</script>\u001b[2J\u202e & \"q\"";

  private SampleResults() {}

  public static SequencedMap<String, Double> shares(double three, double six, double last) {
    SequencedMap<String, Double> shares = new LinkedHashMap<>();
    shares.put("final", last);
    shares.put("6", six);
    shares.put("3", three);
    return shares;
  }

  public static SweepPoint early(double threshold, double speedup, double agreement) {
    return point(Technique.EXITS, List.of(6, 3), threshold, speedup, agreement);
  }

  /** A setting of which each of twelve pairs had the same ratio. */
  public static SweepPoint point(
      Technique technique,
      List<Integer> exits,
      double threshold,
      double speedup,
      double agreement) {
    return new SweepPoint(
        technique == Technique.DRAFTS ? "speculative" : "early-exit",
        technique,
        threshold,
        exits,
        100 * speedup,
        Collections.nCopies(12, speedup),
        agreement,
        5.5,
        shares(0.5, 0.2, 0.3));
  }

  /** Full depth against itself: single pairs are off by 2 %, and that is the error. */
  public static SweepPoint full() {
    SequencedMap<String, Double> all = new LinkedHashMap<>();
    all.put("final", 1.0);
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      ratios.add(i % 2 == 0 ? 1.02 : 0.98);
    }
    return new SweepPoint("full", Technique.NONE, 1, List.of(), 100, ratios, 1, 8, all);
  }

  public static DemoResults with(List<SweepPoint> sweep) {
    TreeMap<Integer, List<LossPlot.Point>> losses = new TreeMap<>();
    losses.put(6, List.of(new LossPlot.Point(10, 3.5), new LossPlot.Point(20, 3.25)));
    losses.put(3, List.of(new LossPlot.Point(10, 4.5), new LossPlot.Point(20, 4.25)));
    TreeMap<Integer, Double> validation = new TreeMap<>();
    validation.put(3, 4.2);
    validation.put(6, 3.2);
    List<DemoSample.Token> tokens =
        List.of(
            new DemoSample.Token(7, " Once", OptionalInt.of(3), 0.93),
            new DemoSample.Token(8, HOSTILE, OptionalInt.empty(), 0.41),
            new DemoSample.Token(9, "\ud800", OptionalInt.of(6), 0.88));
    return new DemoResults(
        "fable<b>",
        8,
        256,
        4096,
        7_345_000,
        100,
        sweep,
        losses,
        validation,
        List.of(new DemoSample("Say " + HOSTILE, 0.8, tokens, HOSTILE)),
        new Machine("A <fast> CPU", 2, "JVM 25", "simd512", "2025-01-02"));
  }

  public static DemoResults usual() {
    return with(List.of(full(), early(0.8, 1.5, 0.96), early(0.6, 2, 0.8), early(0.9, 1.2, 0.99)));
  }

  public static DemoResults empty() {
    return new DemoResults(
        "fable",
        8,
        256,
        4096,
        7_345_000,
        100,
        List.of(),
        new TreeMap<>(),
        new TreeMap<>(),
        List.of(),
        new Machine("CPU", 1, "JVM 25", "scalar", "2025-01-02"));
  }
}

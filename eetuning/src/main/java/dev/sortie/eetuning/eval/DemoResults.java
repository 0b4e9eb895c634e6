package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.host.Machine;
import dev.sortie.eetuning.plot.LossPlot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * All that the demo found out.
 *
 * @param model name of the model
 * @param layers backbone layers
 * @param hidden hidden size C
 * @param vocab vocabulary size V
 * @param parameters parameters of the backbone
 * @param fullDepthTokensPerSecond decode speed without exits and drafts, tokens per second
 * @param sweep one point per decoding setting
 * @param losses training loss per exit depth over the steps; kept shallow first
 * @param validation validation loss per exit depth, nats per token; kept shallow first
 * @param samples texts
 * @param machine where it was measured
 */
public record DemoResults(
    String model,
    int layers,
    int hidden,
    int vocab,
    long parameters,
    double fullDepthTokensPerSecond,
    List<SweepPoint> sweep,
    SequencedMap<Integer, List<LossPlot.Point>> losses,
    SequencedMap<Integer, Double> validation,
    List<DemoSample> samples,
    Machine machine) {

  /** Agreement that the headline asks for: below it a speed-up is hardly the same model's. */
  public static final double HEADLINE_AGREEMENT = 0.95;

  public DemoResults {
    ResultChecks.text("model", model);
    ResultChecks.atLeast("layers", layers, 1);
    ResultChecks.atLeast("hidden", hidden, 1);
    ResultChecks.atLeast("vocab", vocab, 1);
    ResultChecks.atLeast("parameters", parameters, 1);
    ResultChecks.positive("full-depth tokens per second", fullDepthTokensPerSecond);
    sweep = List.copyOf(sweep);
    samples = List.copyOf(samples);
    ResultChecks.present("machine", machine);
    losses = byDepth(losses);
    losses.replaceAll((depth, points) -> List.copyOf(points));
    losses = Collections.unmodifiableSequencedMap(losses);
    validation = Collections.unmodifiableSequencedMap(byDepth(validation));
    validation.forEach(
        (depth, loss) -> ResultChecks.finite("validation loss at exit " + depth, loss));
    for (String key : exitKeys(sweep, losses, validation, samples)) {
      ResultChecks.require(
          key.equals(ExitKeys.FINAL) || ExitKeys.depth(key) < layers,
          "exit " + key + " is out of range: the model has " + layers + " layers");
    }
  }

  private static <T> SequencedMap<Integer, T> byDepth(SequencedMap<Integer, T> map) {
    SequencedMap<Integer, T> ordered = new LinkedHashMap<>();
    map.keySet().stream().sorted().forEach(depth -> ordered.put(depth, map.get(depth)));
    return ordered;
  }

  /** Keys of all exits that occur, shallow first, with "final" last in any case. */
  public List<String> exitKeys() {
    return exitKeys(sweep, losses, validation, samples);
  }

  private static List<String> exitKeys(
      List<SweepPoint> sweep,
      SequencedMap<Integer, List<LossPlot.Point>> losses,
      SequencedMap<Integer, Double> validation,
      List<DemoSample> samples) {
    List<String> keys = new ArrayList<>(List.of(ExitKeys.FINAL));
    losses.keySet().forEach(depth -> keys.add(Integer.toString(depth)));
    validation.keySet().forEach(depth -> keys.add(Integer.toString(depth)));
    sweep.forEach(point -> keys.addAll(point.exits().keySet()));
    sweep.forEach(point -> point.activeExits().forEach(depth -> keys.add(depth.toString())));
    samples.forEach(sample -> sample.tokens().forEach(t -> keys.add(ExitKeys.of(t.exit()))));
    return ExitKeys.sorted(keys);
  }

  /** How far speed-ups may be off, from the points that change nothing. */
  public MeasurementError error() {
    return MeasurementError.of(sweep);
  }

  /**
   * The point to show of those that work by {@code technique}: the fastest that agrees with full
   * depth for at least 95% of the tokens; if none does, the one that agrees most. Empty without
   * such points.
   */
  public Optional<SweepPoint> best(Technique technique) {
    List<SweepPoint> points =
        sweep.stream().filter(point -> point.technique() == technique).toList();
    return points.stream()
        .filter(point -> point.agreement() >= HEADLINE_AGREEMENT)
        .max(Comparator.comparingDouble(SweepPoint::speedup))
        .or(
            () ->
                points.stream()
                    .max(
                        Comparator.comparingDouble(SweepPoint::agreement)
                            .thenComparingDouble(SweepPoint::speedup)));
  }

  /** The point to show first: the best of exits alone, which owes nothing to drafts. */
  public Optional<SweepPoint> headline() {
    return best(Technique.EXITS);
  }
}

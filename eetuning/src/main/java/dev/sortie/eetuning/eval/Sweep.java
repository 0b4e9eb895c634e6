package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Quality against speed: decodes prompts greedily at full depth and with early exits at several
 * thresholds, side by side; each speed is the median over rounds.
 */
public final class Sweep {
  private final LanguageModel model;
  private final Exits exits;
  private final Device device;
  private final Settings settings;

  /**
   * What is decoded.
   *
   * @param prompts texts to continue
   * @param tokens tokens to generate for each
   * @param thresholds confidences to try
   * @param rounds rounds that are counted
   */
  public record Settings(List<String> prompts, int tokens, List<Double> thresholds, int rounds) {}

  /**
   * What came out.
   *
   * @param fullDepthTokensPerSecond speed of the unmodified backbone
   * @param points one a setting
   * @param samples texts at some thresholds
   */
  public record Result(
      double fullDepthTokensPerSecond, List<SweepPoint> points, List<SampleText> samples) {}

  /** A sweep over {@code exits}: all of them together, and each alone. */
  public Sweep(LanguageModel model, Exits exits, Device device, Settings settings) {
    this.model = model;
    this.exits = exits;
    this.device = device;
    this.settings = settings;
  }

  /** Generations in all. */
  public long units() {
    return interleaved().units();
  }

  private InterleavedRuns interleaved() {
    GenerateOptions options =
        new GenerateOptions(settings.tokens(), SamplingOptions.GREEDY, List.of(), true);
    List<InterleavedRuns.Item> items =
        settings.prompts().stream()
            .map(p -> new InterleavedRuns.Item(model.tokenizer().encode(p), options))
            .toList();
    return new InterleavedRuns(model, variants(), items, settings.rounds());
  }

  private List<DecodingVariant> variants() {
    List<Exits> sets = new ArrayList<>();
    sets.add(exits);
    if (exits.exits().size() > 1) {
      exits
          .exits()
          .forEach(e -> sets.add(new Exits(exits.backboneSha256(), exits.tuning(), List.of(e))));
    }
    List<DecodingVariant> all = new ArrayList<>();
    all.add(DecodingVariant.full(model, device));
    for (Exits set : sets) {
      for (double threshold : settings.thresholds()) {
        MaxProbability policy = new MaxProbability(threshold);
        all.add(DecodingVariant.early("early-exit", model, set, policy, threshold, device));
      }
    }
    return all;
  }

  /** Runs it. */
  public Result run(InterleavedRuns.Progress progress) {
    List<InterleavedRuns.Outcome> all = interleaved().run(progress);
    double base = all.getFirst().tokensPerSecond();
    List<SweepPoint> points = all.stream().skip(1).map(o -> point(o, base, model, device)).toList();
    return new Result(base, points, samples(all));
  }

  /** What one way of decoding gave compared with full depth, whose speed is {@code base}. */
  static SweepPoint point(
      InterleavedRuns.Outcome outcome, double base, LanguageModel model, Device device) {
    DecodingVariant c = outcome.variant();
    int layers = model.config().decoder().layers();
    SequencedMap<String, Double> counts = new LinkedHashMap<>();
    c.active().forEach(d -> counts.put(String.valueOf(d), 0.0));
    counts.put(ExitKeys.FINAL, 0.0);
    double tokens = 0;
    double depth = 0;
    double agreed = 0;
    for (Generation g : outcome.rounds().getFirst()) { // greedy: every round has the same tokens
      List<GeneratedToken> decoded =
          g.tokens()
              .subList(1, g.tokens().size()); // the first comes from the prefill, at full depth
      for (GeneratedToken t : decoded) {
        counts.merge(ExitKeys.of(t.exit()), 1.0, Double::sum);
        depth += t.exit().orElse(layers);
      }
      tokens += decoded.size();
      agreed +=
          new AgreementCounter(model, device)
              .count(g.promptIds(), g.tokens().stream().mapToInt(GeneratedToken::id).toArray());
    }
    double n = tokens;
    counts.replaceAll((k, v) -> v / n);
    double speed = outcome.tokensPerSecond();
    return new SweepPoint(
        c.strategy(),
        c.threshold(),
        c.active(),
        speed,
        speed / base,
        agreed / n,
        depth / n,
        counts);
  }

  /** The first prompt's text at each threshold with all exits active. */
  private List<SampleText> samples(List<InterleavedRuns.Outcome> all) {
    InterleavedRuns.Outcome full = all.getFirst();
    List<SampleText> samples = new ArrayList<>();
    for (InterleavedRuns.Outcome s : all.subList(1, 1 + settings.thresholds().size())) {
      int i = samples.size() % settings.prompts().size();
      Generation g = s.rounds().getFirst().get(i);
      List<SampleText.Token> trace =
          g.tokens().stream()
              .map(t -> new SampleText.Token(t.id(), t.text(), t.exit(), t.confidence()))
              .toList();
      samples.add(
          new SampleText(
              settings.prompts().get(i),
              s.variant().threshold(),
              trace,
              full.rounds().getFirst().get(i).text()));
    }
    return samples;
  }
}

package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.speculative.PromptLookup;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.function.LongConsumer;

/**
 * Quality against speed: decodes prompts greedily with early exits at several thresholds, with
 * drafts and with both, each in pairs with full depth.
 */
public final class Sweep {
  private final LanguageModel model;
  private final Exits exits;
  private final Exits ready;
  private final Device device;
  private final Settings settings;

  /**
   * What is decoded.
   *
   * @param prompts texts to continue
   * @param tokens tokens to generate for each
   * @param thresholds confidences to try; at 1 no token leaves, and the row shows the error of the
   *     measurement
   * @param rounds pairs for each setting and prompt
   */
  public record Settings(List<String> prompts, int tokens, List<Double> thresholds, int rounds) {}

  /**
   * What came out.
   *
   * @param fullDepthTokensPerSecond speed of the unmodified backbone, the median of all its runs
   * @param points one a setting
   */
  public record Result(double fullDepthTokensPerSecond, List<SweepPoint> points) {}

  /**
   * A sweep over {@code exits}: all of them together, and each alone.
   *
   * @param ready exits that were tuned before, all together, for comparison
   */
  public Sweep(LanguageModel model, Exits exits, Exits ready, Device device, Settings settings) {
    this.model = model;
    this.exits = exits;
    this.ready = ready;
    this.device = device;
    this.settings = settings;
  }

  /** Generations in all. */
  public long units() {
    return runs().units();
  }

  private PairedRuns runs() {
    GenerateOptions options =
        new GenerateOptions(settings.tokens(), SamplingOptions.GREEDY, List.of(), true);
    List<PairedRuns.Item> items =
        settings.prompts().stream().map(p -> new PairedRuns.Item(ids(p), options)).toList();
    return new PairedRuns(model, full(), variants(), items, settings.rounds());
  }

  private int[] ids(String prompt) {
    return model.tokenizer().encode(prompt);
  }

  private DecodingVariant full() {
    return DecodingVariant.full(model, device);
  }

  /**
   * Exits alone, first all of them together, then each; ready ones, drafts alone, and all exits
   * with drafts.
   */
  private List<DecodingVariant> variants() {
    List<DecodingVariant> all = new ArrayList<>();
    for (Exits set : sets()) {
      all.addAll(alone(set));
    }
    // at a threshold of 1 nothing leaves, and only drafts would be left
    List<Double> leaving = settings.thresholds().stream().filter(t -> t < 1).toList();
    early(DecodingVariant.READY_EXITS, ready, false, leaving).stream()
        .map(v -> v.as(Technique.READY_EXITS))
        .forEach(all::add);
    all.add(
        DecodingVariant.speculative(
            DecodingVariant.SPECULATIVE,
            model,
            exits,
            List.of(PromptLookup.NAME),
            OptionalDouble.empty(),
            device));
    all.addAll(early(DecodingVariant.EARLY_EXIT_DRAFTS, exits, true, leaving));
    return all;
  }

  /** All exits together, and each alone. */
  private List<Exits> sets() {
    List<Exits> sets = new ArrayList<>();
    sets.add(exits);
    if (exits.exits().size() > 1) {
      exits.exits().forEach(e -> sets.add(exits.with(List.of(e))));
    }
    return sets;
  }

  private List<DecodingVariant> alone(Exits set) {
    return early(DecodingVariant.EARLY_EXIT, set, false, settings.thresholds());
  }

  private List<DecodingVariant> early(
      String name, Exits set, boolean drafts, List<Double> thresholds) {
    List<DecodingVariant> all = new ArrayList<>();
    for (double threshold : thresholds) {
      MaxProbability policy = new MaxProbability(threshold);
      all.add(DecodingVariant.early(name, model, set, policy, threshold, drafts, device));
    }
    return all;
  }

  /** Runs it. */
  public Result run(PairedRuns.Progress progress) {
    List<PairedRuns.Outcome> all = runs().run(progress);
    double full =
        Median.of(
            all.stream()
                .flatMap(o -> o.timed().stream())
                .mapToDouble(p -> p.full().decodeTokensPerSecond()));
    return new Result(full, all.stream().map(o -> point(o, model, device)).toList());
  }

  /** What one way of decoding gave compared with full depth. */
  static SweepPoint point(PairedRuns.Outcome outcome, LanguageModel model, Device device) {
    DecodingVariant c = outcome.variant();
    int layers = model.config().decoder().layers();
    SequencedMap<String, Double> counts = new LinkedHashMap<>();
    c.active().forEach(d -> counts.put(String.valueOf(d), 0.0));
    counts.put(ExitKeys.FINAL, 0.0);
    double tokens = 0;
    double depth = 0;
    double agreed = 0;
    for (PairedRuns.Decoded one : outcome.firstRound()) { // greedy: each round has the same tokens
      Generation g = one.generation();
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
    return new SweepPoint(
        c.strategy(),
        c.technique(),
        c.threshold(),
        c.active(),
        outcome.tokensPerSecond(),
        outcome.timed().stream().map(PairedRuns.Pair::ratio).toList(),
        agreed / n,
        depth / n,
        counts);
  }

  /**
   * A whole text of another prompt at each threshold, with all exits and without drafts.
   *
   * @param progress is told how many are written
   */
  public List<DemoSample> samples(LongConsumer progress) {
    List<DemoSample> samples = new ArrayList<>();
    for (DecodingVariant variant : alone(exits)) {
      String prompt = settings.prompts().get(samples.size() % settings.prompts().size());
      samples.add(sample(variant, prompt));
      progress.accept(samples.size());
    }
    return samples;
  }

  private DemoSample sample(DecodingVariant variant, String prompt) {
    int[] ids = ids(prompt);
    int room = model.config().decoder().context() - ids.length;
    SamplingOptions sampling = new SamplingOptions(0, 0, 1, 0, DemoSample.REPETITION_PENALTY, 0);
    PairedRuns.Item item =
        new PairedRuns.Item(ids, new GenerateOptions(room, sampling, List.of(), false));
    PairedRuns.Pair pair =
        new PairedRuns(model, full(), List.of(variant), List.of(item), 1)
            .turn(0, item, _ -> {})
            .getFirst();
    List<DemoSample.Token> trace =
        pair.decoded().generation().tokens().stream()
            .map(t -> new DemoSample.Token(t.id(), t.text(), t.exit(), t.confidence()))
            .toList();
    return new DemoSample(prompt, variant.threshold(), trace, pair.full().text());
  }
}

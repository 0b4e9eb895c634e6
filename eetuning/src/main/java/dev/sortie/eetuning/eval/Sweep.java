package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.EarlyExit;
import dev.sortie.eetuning.decode.FullDepth;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.MaxProbability;
import dev.sortie.eetuning.decode.SamplingOptions;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Quality against speed: decodes prompts greedily at full depth and with early exits at several
 * thresholds. All settings take turns prompt by prompt, so that a slow moment of the machine falls
 * on all of them; each speed is the median over rounds, after one round that is not counted.
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

  /** Hears of progress. */
  public interface Progress {
    /** {@code done} of {@link #units} generations are done. */
    void done(long done, String detail);
  }

  /**
   * What came out.
   *
   * @param fullDepthTokensPerSecond speed of the unmodified backbone
   * @param points one a setting
   * @param samples texts at some thresholds
   */
  public record Result(
      double fullDepthTokensPerSecond, List<SweepPoint> points, List<Sample> samples) {}

  /** A way of decoding, and its generations: [round][prompt]. */
  private record Setting(double threshold, Exits active, List<List<Generation>> rounds) {
    boolean full() {
      return active.exits().isEmpty();
    }
  }

  /** A sweep over {@code exits}: all of them together, and each alone. */
  public Sweep(LanguageModel model, Exits exits, Device device, Settings settings) {
    this.model = model;
    this.exits = exits;
    this.device = device;
    this.settings = settings;
  }

  /** Generations in all. */
  public long units() {
    return (long) settings().size() * settings.prompts().size() * (settings.rounds() + 1);
  }

  private List<Setting> settings() {
    List<Exits> sets = new ArrayList<>();
    sets.add(exits);
    if (exits.exits().size() > 1) {
      exits
          .exits()
          .forEach(e -> sets.add(new Exits(exits.backboneSha256(), exits.tuning(), List.of(e))));
    }
    List<Setting> all = new ArrayList<>();
    all.add(new Setting(1, Exits.none(), new ArrayList<>()));
    for (Exits set : sets) {
      for (double threshold : settings.thresholds()) {
        all.add(new Setting(threshold, set, new ArrayList<>()));
      }
    }
    return all;
  }

  /** Runs it. */
  public Result run(Progress progress) {
    List<Setting> all = settings();
    long done = 0;
    for (int round = 0; round <= settings.rounds(); round++) {
      all.forEach(s -> s.rounds.add(new ArrayList<>()));
      for (int p = 0; p < settings.prompts().size(); p++) {
        // each time another setting begins: whoever comes after a pause or a change is slower
        int first = (round * settings.prompts().size() + p) % all.size();
        for (int i = 0; i < all.size(); i++) {
          Setting s = all.get((first + i) % all.size());
          s.rounds.getLast().add(decode(s, settings.prompts().get(p)));
          progress.done(++done, round == 0 ? "warm-up" : "round " + round);
        }
      }
    }
    all.forEach(s -> s.rounds.removeFirst());
    Setting full = all.getFirst();
    double base = speed(full);
    List<SweepPoint> points = all.stream().skip(1).map(s -> point(s, base)).toList();
    return new Result(base, points, samples(all));
  }

  private Generation decode(Setting s, String prompt) {
    int[] ids = model.tokenizer().encode(prompt);
    int capacity = ids.length + settings.tokens();
    try (DecodingStrategy d = strategy(s, capacity)) {
      Generator generator =
          new Generator(
              d, model.tokenizer(), model.config().eos(), model.config().decoder().vocab());
      return generator.run(
          ids,
          new GenerateOptions(settings.tokens(), SamplingOptions.GREEDY, List.of(), true),
          t -> {});
    }
  }

  private DecodingStrategy strategy(Setting s, int capacity) {
    if (s.full()) {
      return new FullDepth(model.decoder(), capacity, device);
    }
    MaxProbability policy = new MaxProbability(s.threshold);
    return new EarlyExit(
        model.decoder(), s.active, policy, capacity, EarlyExit.MAX_PENDING, device);
  }

  /** Tokens a second over all prompts, the median round. */
  private static double speed(Setting s) {
    double[] rates =
        s.rounds.stream()
            .mapToDouble(
                r ->
                    r.stream().mapToInt(g -> g.tokens().size() - 1).sum()
                        / r.stream().mapToDouble(Generation::decodeSeconds).sum())
            .sorted()
            .toArray();
    return rates[rates.length / 2];
  }

  private SweepPoint point(Setting s, double base) {
    int layers = model.config().decoder().layers();
    SequencedMap<String, Double> counts = new LinkedHashMap<>();
    s.active.depths().forEach(d -> counts.put(String.valueOf(d), 0.0));
    counts.put(ExitKeys.FINAL, 0.0);
    double tokens = 0;
    double depth = 0;
    double agreed = 0;
    for (Generation g : s.rounds.getFirst()) { // greedy: every round has the same tokens
      List<GeneratedToken> decoded =
          g.tokens()
              .subList(1, g.tokens().size()); // the first comes from the prefill, at full depth
      for (GeneratedToken t : decoded) {
        counts.merge(ExitKeys.of(t.exit()), 1.0, Double::sum);
        depth += t.exit().orElse(layers);
      }
      tokens += decoded.size();
      agreed +=
          new Agreement(model, device)
              .count(g.promptIds(), g.tokens().stream().mapToInt(GeneratedToken::id).toArray());
    }
    double n = tokens;
    counts.replaceAll((k, v) -> v / n);
    double speed = speed(s);
    return new SweepPoint(
        "early-exit",
        s.threshold,
        s.active.depths(),
        speed,
        speed / base,
        agreed / n,
        depth / n,
        counts);
  }

  /** The first prompt's text at each threshold with all exits active. */
  private List<Sample> samples(List<Setting> all) {
    Setting full = all.getFirst();
    List<Sample> samples = new ArrayList<>();
    for (Setting s : all.subList(1, 1 + settings.thresholds().size())) {
      int i = samples.size() % settings.prompts().size();
      Generation g = s.rounds.getFirst().get(i);
      List<TokenTrace> trace =
          g.tokens().stream()
              .map(t -> new TokenTrace(t.id(), t.text(), t.exit(), t.confidence()))
              .toList();
      samples.add(
          new Sample(
              settings.prompts().get(i), s.threshold, trace, full.rounds.getFirst().get(i).text()));
    }
    return samples;
  }
}

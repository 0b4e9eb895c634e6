package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.LearnedProbe;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.nn.text.Tokenizer;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** A policy that keeps what the exits say that are asked for a token. */
final class WatchedPolicy implements ExitPolicy {
  private final ExitPolicy policy;
  private final boolean takes;
  private final PassTrace trace;
  private final Tokenizer tokenizer;
  private final float[] logits;
  private final Map<Integer, Double> probes = new TreeMap<>();
  private final Map<Integer, ExitReading> readings = new TreeMap<>();
  private boolean keeps;

  /**
   * Watches a policy.
   *
   * @param takes whether exits are asked and taken as the policy says; else all are asked and none
   *     is taken
   * @param vocab number of logits
   */
  WatchedPolicy(ExitPolicy policy, boolean takes, PassTrace trace, Tokenizer tokenizer, int vocab) {
    this.policy = policy;
    this.takes = takes;
    this.trace = trace;
    this.tokenizer = tokenizer;
    this.logits = new float[vocab];
  }

  /**
   * A token is about to be read.
   *
   * @param kept whether it is the one of which is kept what exits say
   */
  void next(boolean kept) {
    keeps = kept;
    if (kept) {
      readings.clear();
    }
    probes.clear();
  }

  /** What the exits said that were asked, shallow first. */
  List<ExitReading> readings() {
    return List.copyOf(readings.values());
  }

  @Override
  public double confidence(ExitEvidence evidence) {
    double confidence = policy.confidence(evidence);
    trace.asked(evidence.depth());
    if (keeps) {
      readings.put(evidence.depth(), trace.unseen(() -> reading(evidence, confidence)));
    }
    return confidence;
  }

  private ExitReading reading(ExitEvidence evidence, double confidence) {
    int depth = evidence.depth();
    Double probe = probes.get(depth);
    double coverage = evidence.coverage();
    evidence.answer().spread(logits);
    TokenLogprobs top =
        TokenLogprobs.of(logits, evidence.answer().lse(), evidence.token(), LikelyToken.COUNT);
    return new ExitReading(
        depth,
        confidence,
        threshold(policy, depth),
        policy.exits(depth, confidence) && (probe == null || policy.worthwhile(depth, probe)),
        probe == null ? OptionalDouble.empty() : OptionalDouble.of(probe),
        evidence.agreeing(),
        evidence.tokens(),
        coverage,
        LikelyToken.of(top, coverage, tokenizer));
  }

  private static OptionalDouble threshold(ExitPolicy policy, int depth) {
    return switch (policy) {
      case ThresholdPolicy p -> OptionalDouble.of(p.threshold());
      case ExitThresholds p -> OptionalDouble.of(p.byDepth().getOrDefault(depth, 1.0));
      case LearnedProbe p -> threshold(p.inner(), depth);
      default -> OptionalDouble.empty();
    };
  }

  @Override
  public boolean exits(int depth, double confidence) {
    return takes && policy.exits(depth, confidence);
  }

  @Override
  public boolean never() {
    return takes && policy.never();
  }

  @Override
  public boolean rests() {
    return takes && policy.rests();
  }

  @Override
  public boolean usesProbe() {
    return policy.usesProbe();
  }

  @Override
  public boolean worthwhile(int depth, double probe) {
    probes.put(depth, probe);
    return !takes || policy.worthwhile(depth, probe);
  }
}

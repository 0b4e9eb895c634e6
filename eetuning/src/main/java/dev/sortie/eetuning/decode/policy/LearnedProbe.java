package dev.sortie.eetuning.decode.policy;

import dev.sortie.nn.UsageException;

/**
 * Asks an exit's probe first, and evaluates the exit only where the probe expects it to agree with
 * full depth; then another policy decides.
 *
 * @param inner decides at the exits that are evaluated
 * @param probeThreshold least probability of agreement, 0 to 1
 */
public record LearnedProbe(ExitPolicy inner, double probeThreshold) implements ExitPolicy {
  public LearnedProbe {
    if (!(probeThreshold >= 0 && probeThreshold <= 1)) {
      throw new UsageException("--probe-threshold " + probeThreshold + " is outside 0 to 1");
    }
  }

  @Override
  public double confidence(ExitEvidence evidence) {
    return inner.confidence(evidence);
  }

  @Override
  public boolean exits(int depth, double confidence) {
    return inner.exits(depth, confidence);
  }

  @Override
  public boolean never() {
    return inner.never();
  }

  @Override
  public boolean rests() {
    return inner.rests();
  }

  @Override
  public boolean usesProbe() {
    return true;
  }

  @Override
  public boolean worthwhile(int depth, double probe) {
    return probe >= probeThreshold;
  }
}

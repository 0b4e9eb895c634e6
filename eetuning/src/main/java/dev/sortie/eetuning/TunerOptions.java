package dev.sortie.eetuning;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.train.TrainingDefaults;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.nn.InputException;
import java.util.List;

/**
 * Which exits are tuned and how. Everything else has the defaults of the command line: exits start
 * as copies of the backbone's modules, AdamW, a hundredth of the steps for warm-up, and a cosine
 * decay to a tenth of the learning rate. Immutable; each method returns a modified copy.
 *
 * @param depths number of layers before each exit, 1 to layers - 1
 * @param architecture of the exits: what is computed before the head
 * @param objective what exits learn to predict
 * @param steps number of optimiser steps
 * @param length tokens predicted per sequence, at most the model's context
 * @param batch sequences per step
 * @param learningRate peak of the learning rate
 * @param heldOut share of the texts held out for validation, from 0 to below 1
 * @param gateTokens tokens on which probes are fitted after tuning; 0 for none
 * @param seed seed of the order of the data
 */
public record TunerOptions(
    List<Integer> depths,
    ExitArchitecture architecture,
    Objective objective,
    int steps,
    int length,
    int batch,
    double learningRate,
    double heldOut,
    int gateTokens,
    long seed) {

  /** Checks all values. */
  public TunerOptions {
    depths = List.copyOf(depths);
    if (depths.isEmpty()) {
      throw new InputException("no depth is named; name the layers after which exits stand");
    }
    require(steps >= 1, "steps", steps, "at least 1");
    require(length >= 1, "length", length, "at least 1");
    require(batch >= 1, "batch", batch, "at least 1");
    require(
        learningRate > 0 && learningRate < 1e6,
        "learning rate",
        learningRate,
        "positive and below 1e6");
    require(heldOut >= 0 && heldOut < 1, "held-out share", heldOut, "from 0 to below 1");
    require(gateTokens >= 0, "gate tokens", gateTokens, "0 or more");
  }

  private static void require(boolean ok, String what, Number value, String allowed) {
    if (!ok) {
      throw new InputException(what + " " + value + " must be " + allowed);
    }
  }

  /** Exits at these depths: {@code mlp}, 1,000 steps of 8 sequences of 256 tokens. */
  public static TunerOptions at(Integer... depths) {
    return new TunerOptions(
        List.of(depths),
        ExitArchitecture.MLP,
        Objective.CE,
        TrainingDefaults.STEPS,
        TrainingDefaults.LENGTH,
        TrainingDefaults.BATCH,
        TrainingDefaults.LEARNING_RATE,
        TrainingDefaults.HELD_OUT,
        TrainingDefaults.GATE_TOKENS,
        TrainingDefaults.SEED);
  }

  /** Returns a copy with another architecture. */
  public TunerOptions architecture(ExitArchitecture other) {
    return new TunerOptions(
        depths, other, objective, steps, length, batch, learningRate, heldOut, gateTokens, seed);
  }

  /** Returns a copy with another objective. */
  public TunerOptions objective(Objective other) {
    return new TunerOptions(
        depths, architecture, other, steps, length, batch, learningRate, heldOut, gateTokens, seed);
  }

  /** Returns a copy with other numbers of steps, sequences per step and tokens per sequence. */
  public TunerOptions steps(int count, int sequences, int tokens) {
    return new TunerOptions(
        depths,
        architecture,
        objective,
        count,
        tokens,
        sequences,
        learningRate,
        heldOut,
        gateTokens,
        seed);
  }

  /** Returns a copy with another peak learning rate. */
  public TunerOptions learningRate(double peak) {
    return new TunerOptions(
        depths, architecture, objective, steps, length, batch, peak, heldOut, gateTokens, seed);
  }

  /** Returns a copy with another share of texts for validation. */
  public TunerOptions heldOut(double share) {
    return new TunerOptions(
        depths,
        architecture,
        objective,
        steps,
        length,
        batch,
        learningRate,
        share,
        gateTokens,
        seed);
  }

  /** Returns a copy with another number of tokens for probes; 0 for none. */
  public TunerOptions gateTokens(int tokens) {
    return new TunerOptions(
        depths, architecture, objective, steps, length, batch, learningRate, heldOut, tokens, seed);
  }

  /** Returns a copy with another seed. */
  public TunerOptions seed(long other) {
    return new TunerOptions(
        depths,
        architecture,
        objective,
        steps,
        length,
        batch,
        learningRate,
        heldOut,
        gateTokens,
        other);
  }
}

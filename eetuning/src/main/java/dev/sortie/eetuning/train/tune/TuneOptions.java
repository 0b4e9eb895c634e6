package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.BatchSizes;
import dev.sortie.eetuning.train.Descriptions;
import dev.sortie.eetuning.train.LossWeights;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What decides the result of tuning.
 *
 * @param objective what exits predict
 * @param confidenceWeights whether tokens are weighted by the exit's own confidence
 * @param exitWeights factor on the loss by depth; 1 where none is given
 * @param microBatch sequences in one forward pass
 * @param globalBatch sequences in one step, a multiple of {@code microBatch}
 * @param schedule learning rate
 * @param adamW optimiser; clipping is by the norm of each exit alone, so exits tuned together and
 *     apart are the same
 * @param seed order of the data
 * @param lookahead how a lookahead exit is tuned, where there is one
 */
public record TuneOptions(
    Objective objective,
    boolean confidenceWeights,
    Map<Integer, Double> exitWeights,
    int microBatch,
    int globalBatch,
    Schedule schedule,
    AdamW.Options adamW,
    long seed,
    LookaheadOptions lookahead) {

  /** With the usual options of a lookahead exit. */
  public TuneOptions(
      Objective objective,
      boolean confidenceWeights,
      Map<Integer, Double> exitWeights,
      int microBatch,
      int globalBatch,
      Schedule schedule,
      AdamW.Options adamW,
      long seed) {
    this(
        objective,
        confidenceWeights,
        exitWeights,
        microBatch,
        globalBatch,
        schedule,
        adamW,
        seed,
        LookaheadOptions.DEFAULT);
  }

  public TuneOptions {
    BatchSizes.check(microBatch, globalBatch);
    exitWeights = Map.copyOf(exitWeights);
    LossWeights.check(exitWeights);
  }

  /** Micro-batches in a step. */
  public int microBatches() {
    return globalBatch / microBatch;
  }

  /** The same with so many micro-batches in a step, of so many sequences. */
  TuneOptions with(int sequences, int microBatches) {
    return new TuneOptions(
        objective,
        confidenceWeights,
        exitWeights,
        sequences,
        Math.multiplyExact(sequences, microBatches),
        schedule,
        adamW,
        seed,
        lookahead);
  }

  /** Refuses a number of replicas among which the micro-batches of a step cannot be shared out. */
  public void checkReplicas(int replicas) {
    BatchSizes.checkReplicas(microBatch, globalBatch, replicas);
  }

  /**
   * Refuses exits that cannot be tuned so, before any file is written.
   *
   * @param config of the backbone
   * @param length tokens in a sequence
   */
  public void check(DecoderConfig config, Exits start, int length) {
    if (length > config.context()) {
      throw new InputException(
          "--seq-len " + length + " is more than the model's context of " + config.context());
    }
    if (start.lookahead().isPresent() && length <= lookahead.unroll()) {
      throw new UsageException(
          "--seq-len "
              + length
              + " leaves no token to a lookahead exit after --lookahead-unroll "
              + lookahead.unroll()
              + "; take longer sequences or fewer steps");
    }
    for (Exit e : start.exits()) {
      if (e.parameters().isEmpty()) {
        throw new InputException(
            "the exit at depth "
                + e.depth()
                + " ("
                + e.spec().architecture().word()
                + " with the backbone's head) has nothing to tune; add it with --head own");
      }
    }
    List<Integer> depths = new ArrayList<>(start.depths());
    start.lookahead().ifPresent(l -> depths.add(config.layers()));
    for (int depth : exitWeights.keySet()) {
      if (!depths.contains(depth)) {
        throw new InputException(
            "--exit-weight names depth " + depth + ", but the exits stand at " + depths);
      }
    }
  }

  /** The options by name, for checkpoints and the exits file. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("objective", objective.word());
    m.put("token_weights", confidenceWeights ? "confidence" : "equal");
    Map<String, Object> weights = new TreeMap<>();
    exitWeights.forEach((d, w) -> weights.put(String.valueOf(d), w));
    m.put("exit_weights", weights);
    m.put("micro_batch", microBatch);
    m.put("global_batch", globalBatch);
    m.putAll(Descriptions.of(schedule));
    m.putAll(Descriptions.of(adamW));
    m.put("seed", seed);
    return m;
  }
}

package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.BatchSizes;
import dev.sortie.eetuning.train.Descriptions;
import dev.sortie.nn.Dropout;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What decides the result of full training.
 *
 * @param microBatch sequences in one forward and backward pass
 * @param globalBatch sequences in one step, a multiple of {@code microBatch}
 * @param schedule learning rate
 * @param adamW optimiser
 * @param seed order of the data, and initial weights that are random
 * @param exits that are trained with the backbone
 * @param dropout probability of {@link Dropout} after the embedding, each attention and each MLP of
 *     the backbone; at least 0 and below 1
 * @param start what the weights are before the first step; empty: random
 */
public record PretrainOptions(
    int microBatch,
    int globalBatch,
    Schedule schedule,
    AdamW.Options adamW,
    long seed,
    PretrainExits exits,
    double dropout,
    Optional<StartingWeights> start) {

  public PretrainOptions {
    BatchSizes.check(microBatch, globalBatch);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new UsageException(
          "--dropout " + dropout + ": take a probability of at least 0 and below 1");
    }
  }

  /** From random weights, without exits and dropout. */
  public PretrainOptions(
      int microBatch, int globalBatch, Schedule schedule, AdamW.Options adamW, long seed) {
    this(microBatch, globalBatch, schedule, adamW, seed, PretrainExits.NONE, 0, Optional.empty());
  }

  /** The same, training these exits. */
  public PretrainOptions withExits(PretrainExits trained) {
    return new PretrainOptions(
        microBatch, globalBatch, schedule, adamW, seed, trained, dropout, start);
  }

  /** The same with this probability of dropout. */
  public PretrainOptions withDropout(double probability) {
    return new PretrainOptions(
        microBatch, globalBatch, schedule, adamW, seed, exits, probability, start);
  }

  /** Micro-batches in a step. */
  public int microBatches() {
    return globalBatch / microBatch;
  }

  /** The same with so many micro-batches in a step, of so many sequences. */
  PretrainOptions with(int sequences, int microBatches) {
    int all = Math.multiplyExact(sequences, microBatches);
    return new PretrainOptions(sequences, all, schedule, adamW, seed, exits, dropout, start);
  }

  /** Of the whole run. */
  Dropout dropping() {
    return Dropout.of(seed, dropout);
  }

  /** The options by name, for checkpoints and the model card. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("micro_batch", microBatch);
    m.put("global_batch", globalBatch);
    m.putAll(Descriptions.of(schedule));
    m.putAll(Descriptions.of(adamW));
    m.put("seed", seed);
    m.putAll(exits.describe());
    if (dropout > 0) { // runs of versions that had none resume
      m.put("dropout", dropout);
    }
    start.ifPresent(s -> m.put("starts_from", s.sha256()));
    return m;
  }
}

package dev.sortie.eetuning.train;

import dev.sortie.nn.Sharding;
import dev.sortie.tensor.Tensor;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * Something that is trained step by step: what {@code TrainLoop} runs, saves and resumes. All its
 * state is in named tensors and the step number.
 */
public interface TrainingJob {

  /**
   * What decides the result: options, data, model. A checkpoint is resumed only by a job with the
   * same fingerprint.
   */
  Map<String, Object> fingerprint();

  /** Parameters and optimiser state by name. Resuming overwrites their elements. */
  SequencedMap<String, Tensor> state();

  /**
   * The same with what they are parts of, where ranks share them. Of all ranks one answers for each
   * element.
   */
  default SequencedMap<String, ShardedTensor> parts() {
    return ShardedTensor.of(state(), Sharding.NONE);
  }

  /** Those of {@link #parts} that are trained, without the optimiser's state. */
  SequencedMap<String, ShardedTensor> trained();

  /**
   * Norms of the gradients of the last step before clipping, by name, those for which this rank
   * answers; 0 before the first step. Replicas, and ranks that share weights, have the same.
   */
  Map<String, Double> gradientNorms();

  /** The state's elements have been overwritten by those of a checkpoint. */
  default void restored() {}

  /** Names of the losses, such as the exits' depths. */
  java.util.List<String> lossNames();

  /**
   * Does step {@code step}, counted from 0.
   *
   * @return the loss of each name, to be asked for once: weighted nats summed as in what is
   *     minimised, over the number of all tokens. A token that an exit does not predict, because
   *     its draft head does not cover it, has the weight 0 and counts there. Ranks may still be
   *     telling each other theirs: who asks after the next step does not wait
   */
  Supplier<Map<String, Double>> begin(int step);

  /** As {@link #begin}, with the losses. */
  default Map<String, Double> step(int step) {
    return begin(step).get();
  }

  /** The loss of each name on held-out data; empty if there is none. */
  Map<String, Double> validate();

  /** Tokens that one step reads. */
  long tokensPerStep();
}

package dev.sortie.eetuning.train.stage;

import dev.sortie.nn.model.DecoderConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the costs of a stage depend on.
 *
 * @param trained by name: what is trained in addition to the layers, and how
 * @param microBatch sequences in a micro-batch
 * @param rounds micro-batches of a step on each replica
 * @param length tokens in a sequence
 */
public record StageWorkload(
    DecoderConfig config, Map<String, Object> trained, int microBatch, int rounds, int length) {

  /** Whether the model can do it; trainers refuse what it cannot. */
  boolean fits() {
    return length <= config.context();
  }

  /** By name, for a file. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("model", config.toString());
    m.putAll(trained);
    m.put("micro_batch", microBatch);
    m.put("micro_batches", rounds);
    m.put("seq_len", length);
    return m;
  }
}

package dev.sortie.eetuning.train.stage;

import dev.sortie.nn.model.DecoderConfig;

/**
 * One stage of the pipeline.
 *
 * @param index from 0
 * @param count number of stages
 * @param from depth of the hidden states that it takes; 0 is the embedding
 * @param to depth of those that it passes on
 * @param returns whether the final hidden states go back from the last stage, as the teacher of
 *     {@code kl}
 */
public record Stage(int index, int count, int from, int to, boolean returns) {

  /** All layers. */
  static Stage whole(DecoderConfig config) {
    return new Stage(0, 1, 0, config.layers(), false);
  }

  public boolean isLast() {
    return index == count - 1;
  }

  /** Whether an exit that stands after {@code depth} layers is trained here. */
  public boolean holds(int depth) {
    return depth > from && depth <= to;
  }
}

package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.tensor.Tensor;
import java.util.Collection;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * An exit under training.
 *
 * @param exit empty for the lookahead exit
 */
record Trainee(
    int depth,
    Optional<Exit> exit,
    SequencedMap<String, Tensor> parameters,
    double weight,
    AdamW optimizer) {
  String name() {
    return String.valueOf(depth);
  }

  Collection<Tensor> tensors() {
    return parameters.values();
  }
}

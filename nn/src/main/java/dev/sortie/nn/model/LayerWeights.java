package dev.sortie.nn.model;

import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/**
 * The weights of one of a decoder's layers by their names within it. A basis that several layers
 * share is taken once.
 *
 * @param config of the decoder
 * @param layer its number, from 0
 * @param model the weights of the decoder
 * @param taken bases that layers have taken, by name; the same map for all layers
 */
public record LayerWeights(
    DecoderConfig config, int layer, Weights model, Map<String, Tensor> taken) implements Weights {

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return model.get("model.layers." + layer + "." + name, shape, role);
  }

  @Override
  public Optional<Tensor> basis(String name, long inputs, long outputs) {
    SharedBases bases = config.switches().bases();
    if (bases.of(name).isEmpty()) {
      return Optional.empty();
    }
    SharedBases.Group group = bases.group(name, layer, config.layers());
    Shape shape = Shape.of(bases.rank(name, group, inputs, outputs), inputs);
    return Optional.of(
        taken.computeIfAbsent(
            SharedBases.basis(name, group),
            tensor -> model.get(tensor, shape, Role.INPUT_PROJECTION)));
  }
}

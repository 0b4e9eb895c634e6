package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Span;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The weights of a decoder and its exits, found by the memory that kernels read. */
final class WeightNames {
  private static final Pattern OF_LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)");

  private final Map<Span, Named> weights = new HashMap<>();

  /**
   * A weight.
   *
   * @param name within its layer or exit, else in the model
   * @param part a layer or an exit; the final head for a weight that several parts read
   */
  record Named(String name, ModelPart part, Tensor tensor) {}

  WeightNames(Decoder decoder, Exits exits) {
    decoder
        .parameters()
        .forEach(
            (name, tensor) -> {
              Matcher m = OF_LAYER.matcher(name);
              if (m.matches()) {
                add(m.group(2), ModelPart.layer(Integer.parseInt(m.group(1)) + 1), tensor);
              } else {
                add(name, SharedBases.isBasis(name) ? ModelPart.SHARED : ModelPart.FINAL, tensor);
              }
            });
    for (Exit exit : exits.exits()) {
      ModelPart part = ModelPart.exit(exit.depth());
      exit.parameters().forEach((name, tensor) -> add(name, part, tensor));
      exit.gates().probe().ifPresent(gate -> add("probe", part, gate));
      exit.gates().coverage().ifPresent(gate -> add("coverage", part, gate));
    }
  }

  private void add(String name, ModelPart part, Gate gate) {
    add(name + ".weight", part, gate.weight());
  }

  private void add(String name, ModelPart part, Tensor tensor) {
    weights.put(tensor.span(), new Named(name, part, tensor));
  }

  /** The weight in this memory; empty for what was computed. */
  Optional<Named> at(Span span) {
    return Optional.ofNullable(weights.get(span));
  }
}

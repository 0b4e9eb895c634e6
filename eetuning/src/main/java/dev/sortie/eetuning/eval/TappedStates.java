package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The hidden states of one text, {@code [1, T, C]}, at all layers run.
 *
 * @param last after the last layer
 * @param exits what exits and a lookahead exit read, by depth
 */
record TappedStates(Tensor last, Map<Integer, Tap> exits) {

  /**
   * Behind one layer.
   *
   * @param x the hidden state
   * @param a the residual after the layer's attention
   */
  record Tap(Tensor x, Tensor a) {}

  /** Of a text, in the workspace of {@code ops}. */
  static TappedStates of(LanguageModel model, Exits exits, Ops ops, int[] ids) {
    Set<Integer> read = new HashSet<>(exits.depths());
    exits.lookahead().ifPresent(l -> read.addAll(l.features()));
    Map<Integer, Tap> taps = new LinkedHashMap<>();
    Tensor last =
        model
            .decoder()
            .forward(
                ops,
                Tensor.ids(ops.workspace(), Shape.of(1, ids.length), ids),
                model.config().decoder().layers(),
                (depth, a, x) -> {
                  if (read.contains(depth)) {
                    taps.put(depth, new Tap(x, a));
                  }
                });
    return new TappedStates(last, taps);
  }
}

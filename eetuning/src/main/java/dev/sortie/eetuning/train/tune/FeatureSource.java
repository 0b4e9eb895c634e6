package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Where exits under training get the hidden states of the frozen backbone. */
interface FeatureSource {

  /**
   * Hidden states of some windows, in the workspace of {@code ops} or longer-lived.
   *
   * @param ids the windows' inputs, I32 {@code [B, T]}
   * @param numbers which windows they are
   * @param depths where they are wanted, after 1 to all layers
   */
  Map<Integer, HiddenState> states(Ops ops, Tensor ids, long[] numbers, Set<Integer> depths);

  /** The backbone itself, run no deeper than needed. Call it where gradients are not recorded. */
  static FeatureSource of(Decoder decoder) {
    return (ops, ids, numbers, depths) -> {
      Map<Integer, HiddenState> states = new HashMap<>();
      int deepest = depths.stream().mapToInt(Integer::intValue).max().orElse(0);
      decoder.forward(
          ops,
          ids,
          deepest,
          new Decoder.Tap() {
            @Override
            public void see(int depth, Tensor a, Tensor x) {
              if (keeps(depth)) {
                states.put(depth, new HiddenState(x, a));
              }
            }

            @Override
            public boolean keeps(int depth) {
              return depths.contains(depth);
            }
          });
      return states;
    };
  }
}

package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.CachedRows;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Layers of a decoder over rows of one or several texts, whose keys and values they store. Of few
 * rows, as tokens are read, each layer has memory of its own for its temporaries; of many, as
 * prompts are, layers take turns in the same memory.
 */
record LayerStack(Decoder decoder, Ops ops) {

  /** Where the rows of each text are to be found in the cache of layer {@code i}, from 0. */
  @FunctionalInterface
  interface Caches extends IntFunction<List<CachedRows>> {}

  /**
   * Runs layers {@code from .. to - 1}.
   *
   * @param x the rows of one text after those of another, {@code [1, R, C]}
   */
  HiddenState run(Tensor x, int from, int to, Caches caches) {
    return Sequence.count(x) > Kernels.ROW_STABLE
        ? inTurns(x, from, to, caches)
        : each(x, from, to, caches);
  }

  private HiddenState each(Tensor x, int from, int to, Caches caches) {
    HiddenState h = new HiddenState(x, x);
    for (int i = from; i < to; i++) {
      DecoderLayer layer = decoder.layers().get(i);
      Tensor a = layer.attend(ops, h.x(), decoder.rope(), caches.apply(i));
      h = new HiddenState(layer.feedForward(ops, a), a);
    }
    return h;
  }

  /**
   * The temporaries of 512 tokens are 16 MB a layer of SmolLM2-135M. In memory of its own for each
   * layer a new sequence read 775 tokens/s, so 840 (Zen 4, two threads), in a thirtieth of the
   * room.
   */
  private HiddenState inTurns(Tensor x, int from, int to, Caches caches) {
    if (from == to) {
      return new HiddenState(x, x);
    }
    Tensor a = ops.empty(x.dtype(), x.shape());
    Tensor y = ops.empty(x.dtype(), x.shape());
    Tensor in = x;
    for (int i = from; i < to; i++) {
      DecoderLayer layer = decoder.layers().get(i);
      List<CachedRows> rows = caches.apply(i);
      Tensor below = in;
      ops.into(a, () -> layer.attend(ops, below, decoder.rope(), rows));
      ops.into(y, () -> layer.feedForward(ops, a));
      in = y;
    }
    return new HiddenState(y, a);
  }
}

package dev.sortie.eetuning.decode;

import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.List;
import java.util.function.Supplier;

/**
 * What decoding one sequence needs of the backbone: its layers over a KV cache, and memory for
 * temporaries that is given back after each token.
 */
final class Sequence implements AutoCloseable {
  private final Decoder decoder;
  private final int capacity;
  private final NativeArena arena = new NativeArena("sequence");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final List<KvCache> caches;

  Sequence(Decoder decoder, int capacity, Device device) {
    this.decoder = decoder;
    this.capacity = capacity;
    this.ops = new Ops(device, workspace);
    this.caches = decoder.cache(arena, DType.F32, capacity);
  }

  Decoder decoder() {
    return decoder;
  }

  NativeArena arena() {
    return arena;
  }

  Ops ops() {
    return ops;
  }

  int capacity() {
    return capacity;
  }

  /** Keys and values of layer {@code i}, from 0. */
  KvCache cache(int i) {
    return caches.get(i);
  }

  /**
   * Runs {@code body} without gradients and gives its temporaries back. The result must not live in
   * the workspace.
   */
  <T> T step(Supplier<T> body) {
    T result = NoGrad.call(body);
    workspace.reset();
    return result;
  }

  /** {@code [1, T, C]} of these tokens. */
  Tensor embed(int[] tokens, int from, int count) {
    if (from + count > capacity) {
      throw new InputException(
          "the sequence is full: room for "
              + capacity
              + " tokens was set aside; ask for a shorter text");
    }
    Tensor ids =
        Tensor.ids(workspace, Shape.of(1, count), java.util.Arrays.copyOfRange(tokens, 0, count));
    return decoder.embed(ops, ids);
  }

  /** What layers left. */
  record Hidden(Tensor x, Tensor a) {}

  /**
   * Runs layers {@code from .. to - 1} over x {@code [1, T, C]} at positions {@code first ..},
   * filling their caches.
   */
  Hidden layers(Tensor x, int from, int to, int first) {
    Hidden h = new Hidden(x, x);
    for (int i = from; i < to; i++) {
      DecoderLayer layer = decoder.layers().get(i);
      Tensor a = layer.attend(ops, h.x, decoder.rope(), caches.get(i), first);
      h = new Hidden(layer.feedForward(ops, a), a);
    }
    return h;
  }

  /**
   * Runs layers {@code from} and up over a piece of a prompt. Of the last layer's results only one
   * is ever read, that of the prompt's last token; all others leave just their keys and values.
   *
   * @param end whether the piece ends the prompt
   * @return the final hidden state of its last token, {@code [1, 1, C]}, or null
   */
  Tensor prefillTop(Tensor x, int from, int first, boolean end) {
    int top = decoder.layers().size() - 1;
    Tensor below = layers(x, from, top, first).x();
    DecoderLayer layer = decoder.layers().get(top);
    if (end) {
      return layer.feedForward(
          ops, layer.attendLast(ops, below, decoder.rope(), caches.get(top), first));
    }
    layer.fill(ops, below, decoder.rope(), caches.get(top), first);
    return null;
  }

  /** The last row of {@code [1, T, C]}, as {@code [1, C]}. */
  static Tensor lastRow(Tensor x) {
    long width = x.shape().dim(-1);
    long rows = x.shape().count() / width;
    return Tensor.of(x.span().slice((rows - 1) * width, width), Shape.of(1, width));
  }

  @Override
  public void close() {
    workspace.close();
    arena.close();
  }
}

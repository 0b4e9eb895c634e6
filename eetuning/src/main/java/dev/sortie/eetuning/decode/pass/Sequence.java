package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.CachedRows;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.List;
import java.util.function.Supplier;

/**
 * What decoding one sequence needs of the backbone: its layers over a KV cache, and memory for
 * temporaries that is given back after each token.
 */
public final class Sequence implements AutoCloseable {
  private final Decoder decoder;
  private final int capacity;
  private final NativeArena arena = new NativeArena("sequence");
  private final Ops ops;
  private final boolean ownWorkspace;
  private final List<KvCache> caches;

  /** The layer of the first cache. */
  private final int firstLayer;

  /** A sequence with memory for temporaries of its own. */
  public Sequence(Decoder decoder, int capacity, Device device) {
    this(decoder, capacity, new Ops(device, new Workspace()), true, 0, decoder.config().layers());
  }

  /** A sequence whose temporaries live in the workspace of {@code ops}, which others use too. */
  public Sequence(Decoder decoder, int capacity, Ops ops) {
    this(decoder, capacity, ops, false, 0, decoder.config().layers());
  }

  /** A sequence of which only layers {@code from .. to - 1} are run here. */
  public Sequence(Decoder decoder, int capacity, Ops ops, int from, int to) {
    this(decoder, capacity, ops, false, from, to);
  }

  private Sequence(Decoder decoder, int capacity, Ops ops, boolean ownWorkspace, int from, int to) {
    this.decoder = decoder;
    this.capacity = capacity;
    this.ops = ops;
    this.ownWorkspace = ownWorkspace;
    this.caches = arena.orClose(() -> decoder.cache(arena, DType.F32, capacity, from, to));
    this.firstLayer = from;
  }

  /** A sequence whose caches, one for each layer, are those of a pool. */
  public Sequence(Decoder decoder, int capacity, Ops ops, List<KvCache> caches) {
    this.decoder = decoder;
    this.capacity = capacity;
    this.ops = ops;
    this.ownWorkspace = false;
    this.caches = caches;
    this.firstLayer = 0;
  }

  public Decoder decoder() {
    return decoder;
  }

  public NativeArena arena() {
    return arena;
  }

  public Ops ops() {
    return ops;
  }

  public int capacity() {
    return capacity;
  }

  /** Keys and values of layer {@code i}, from 0. */
  public KvCache cache(int i) {
    return caches.get(i - firstLayer);
  }

  /**
   * Runs {@code body} without gradients and gives its temporaries back. The result must not live in
   * the workspace.
   */
  public <T> T step(Supplier<T> body) {
    T result = NoGrad.call(body);
    ops.workspace().reset();
    return result;
  }

  /** The number of tokens to keep, which were read. */
  public static int checkKept(int count, int position) {
    if (count < 0 || count > position) {
      throw new IllegalArgumentException("to keep " + count + " tokens, expected 0 to " + position);
    }
    return count;
  }

  /** Fails unless {@code count} tokens fit. */
  public void requireRoom(int count) {
    if (count > capacity) {
      throw new InputException(
          "the sequence is full: room for "
              + capacity
              + " tokens was set aside; ask for a shorter text");
    }
  }

  /** {@code [1, T, C]} of these tokens at positions {@code from ..}. */
  public Tensor embed(int[] tokens, int from, int count) {
    requireRoom(from + count);
    Tensor ids =
        Tensor.ids(
            ops.workspace(), Shape.of(1, count), java.util.Arrays.copyOfRange(tokens, 0, count));
    return decoder.embed(ops, ids, from);
  }

  /**
   * Runs layers {@code from .. to - 1} over x {@code [1, T, C]} at positions {@code first ..},
   * filling their caches.
   */
  public HiddenState layers(Tensor x, int from, int to, int first) {
    return new LayerStack(decoder, ops)
        .run(x, from, to, i -> List.of(new CachedRows(cache(i), first, count(x))));
  }

  /**
   * Runs layers {@code from} and up over a chunk of a prompt. Of the last layer's results only one
   * is ever read, that of the prompt's last token; all others leave just their keys and values.
   *
   * @param end whether the chunk ends the prompt
   * @return the final hidden state of its last token, {@code [1, 1, C]}, or null
   */
  public Tensor prefillTop(Tensor x, int from, int first, boolean end) {
    int top = decoder.layers().size() - 1;
    Tensor below = layers(x, from, top, first).x();
    DecoderLayer layer = decoder.layers().get(top);
    if (end) {
      return layer.feedForward(
          ops, layer.attendLast(ops, below, decoder.rope(), cache(top), first));
    }
    layer.fill(ops, below, decoder.rope(), cache(top), first);
    return null;
  }

  /** Rows {@code first .. end - 1} of a store by position {@code [capacity, C]}. */
  public static Tensor rows(Tensor store, int first, int end) {
    long width = store.shape().dim(-1);
    return Tensor.of(
        store.span().slice(first * width, (end - first) * width), Shape.of(1, end - first, width));
  }

  /** Row {@code i} of {@code [.., C]}, as {@code [1, C]}. */
  static Tensor row(Tensor x, int i) {
    long width = x.shape().dim(-1);
    return Tensor.of(x.span().slice(i * width, width), Shape.of(1, width));
  }

  /** The last row of {@code [.., C]}, as {@code [1, C]}. */
  public static Tensor lastRow(Tensor x) {
    return row(x, count(x) - 1);
  }

  /** Rows of {@code [.., C]}. */
  static int count(Tensor x) {
    return x.shape().rows();
  }

  @Override
  public void close() {
    if (ownWorkspace) {
      ops.workspace().close();
    }
    arena.close();
  }
}

package dev.sortie.nn.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.Linear;
import dev.sortie.nn.NamedTensors;
import dev.sortie.nn.RmsNorm;
import dev.sortie.nn.RopeTable;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Allocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * A decoder-only transformer of the Llama family, driven by its {@link DecoderConfig}. Depth {@code
 * l} means: after {@code l} layers; depth 0 is the embedding.
 */
public final class Decoder {
  private final DecoderConfig config;
  private final SequencedMap<String, Tensor> parameters;
  private final Tensor embedding;
  private final List<DecoderLayer> layers;
  private final RmsNorm finalNorm;
  private final Linear head;
  private final RopeTable rope;

  /**
   * Builds the decoder from its weights.
   *
   * @param allocator for the rotary tables
   * @param weights by their Hugging Face names
   */
  public Decoder(DecoderConfig config, Allocator allocator, Weights weights) {
    this.config = config;
    NamedTensors named = new NamedTensors(weights);
    this.embedding =
        named.get(
            "model.embed_tokens.weight",
            Shape.of(config.vocab(), config.hidden()),
            Weights.Role.EMBEDDING);
    List<DecoderLayer> list = new ArrayList<>();
    for (int i = 0; i < config.layers(); i++) {
      list.add(DecoderLayer.of(config, named.under("model.layers." + i + ".")));
    }
    this.layers = List.copyOf(list);
    this.finalNorm = RmsNorm.of(named, "model.norm", config.hidden(), config.normEps());
    this.head =
        config.tiedHead()
            ? new Linear(embedding, null)
            : Linear.of(
                named,
                "lm_head",
                config.hidden(),
                config.vocab(),
                false,
                Weights.Role.INPUT_PROJECTION);
    this.parameters = named.tensors();
    DType tables = finalNorm.weight().dtype();
    this.rope =
        RopeTable.of(allocator, tables, config.context(), config.headSize(), config.ropeTheta());
  }

  /** Sizes and switches. */
  public DecoderConfig config() {
    return config;
  }

  /** All weights by name, in file order. */
  public SequencedMap<String, Tensor> parameters() {
    return parameters;
  }

  /** Number of weights. */
  public long parameterCount() {
    return parameters.values().stream().mapToLong(t -> t.shape().count()).sum();
  }

  /** The layers, first to last. */
  public List<DecoderLayer> layers() {
    return layers;
  }

  /** The norm before the head. */
  public RmsNorm finalNorm() {
    return finalNorm;
  }

  /** The language-model head, {@code [V, C]}. */
  public Linear head() {
    return head;
  }

  /** Rotary tables up to the context length. */
  public RopeTable rope() {
    return rope;
  }

  /** Ids {@code [B, T]} to {@code [B, T, C]}. */
  public Tensor embed(Ops ops, Tensor ids) {
    checkLength(ids.shape().size(-1));
    return ops.embedding(embedding, ids);
  }

  /** Final norm and head: {@code [.., C]} to logits {@code [.., V]}. */
  public Tensor logits(Ops ops, Tensor x) {
    return head.apply(ops, finalNorm.apply(ops, x));
  }

  /** What {@link #logits} are made of, for losses that take the head themselves. */
  public HeadInput headInput(Ops ops, Tensor x) {
    return new HeadInput(finalNorm.apply(ops, x), head.weight());
  }

  /** Logits of whole sequences: ids {@code [B, T]} to {@code [B, T, V]}. */
  public Tensor forward(Ops ops, Tensor ids) {
    return logits(ops, forward(ops, ids, config.layers(), Tap.NONE));
  }

  /**
   * The hidden state of whole sequences at a depth. Where nothing is recorded, layers take turns in
   * the same memory, but for what the tap keeps.
   *
   * @param depth how many layers to run
   * @param tap sees each layer's tensors on the way, and may keep them
   */
  public Tensor forward(Ops ops, Tensor ids, int depth, Tap tap) {
    Tensor x = embed(ops, ids);
    Deque<Tensor> spare = new ArrayDeque<>();
    for (int i = 0; i < depth; i++) {
      DecoderLayer layer = layers.get(i);
      Tensor in = x;
      Tensor a = step(ops, spare, in, () -> layer.attend(ops, in, rope));
      x = step(ops, spare, in, () -> layer.feedForward(ops, a));
      if (i == 0 || !tap.keeps(i)) {
        spare.push(in);
      }
      tap.see(i + 1, a, x);
      if (!tap.keeps(i + 1)) {
        spare.push(a);
      }
    }
    return x;
  }

  /** What {@code body} computes, of the shape of {@code in}; in spare memory, if there is some. */
  private static Tensor step(Ops ops, Deque<Tensor> spare, Tensor in, Supplier<Tensor> body) {
    if (!NoGrad.isOn()) {
      return body.get(); // the graph needs every temporary
    }
    Tensor out = spare.isEmpty() ? ops.empty(in.dtype(), in.shape()) : spare.pop();
    ops.into(out, body);
    return out;
  }

  /** An empty cache for each layer. */
  public List<KvCache> cache(Allocator allocator, DType dtype, int capacity) {
    checkLength(capacity);
    return layers.stream()
        .map(l -> KvCache.of(allocator, dtype, capacity, config.kvHeads(), config.headSize()))
        .toList();
  }

  private void checkLength(int tokens) {
    if (tokens > config.context()) {
      throw new InputException(
          tokens + " tokens are more than the model's context of " + config.context());
    }
  }

  /** Sees what passes through the layers. */
  public interface Tap {
    /** Sees and keeps nothing. */
    Tap NONE =
        new Tap() {
          @Override
          public void see(int depth, Tensor a, Tensor x) {}

          @Override
          public boolean keeps(int depth) {
            return false;
          }
        };

    /**
     * Called after each layer.
     *
     * @param depth number of layers run
     * @param a the residual after the attention of the last of them
     * @param x its output
     */
    void see(int depth, Tensor a, Tensor x);

    /**
     * Whether the tensors seen at {@code depth} must stay as they are; otherwise later layers may
     * overwrite them. It does not matter while gradients are recorded.
     */
    default boolean keeps(int depth) {
      return true;
    }
  }
}

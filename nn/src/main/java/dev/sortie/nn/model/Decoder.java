package dev.sortie.nn.model;

import dev.sortie.nn.Dropout;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.Linear;
import dev.sortie.nn.NamedTensors;
import dev.sortie.nn.Norm;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.RopeTable;
import dev.sortie.nn.RopeTables;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.DecoderSwitches.Rotation;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A decoder-only transformer, driven by its {@link DecoderConfig}. Depth {@code l} means: after
 * {@code l} layers; depth 0 is the embedding.
 *
 * <p>Tensors have one set of names in all families, that of Hugging Face's Llama with some more;
 * {@link DecoderTensors} lists them.
 */
public final class Decoder {
  private final DecoderConfig config;
  private final DecoderConfig share;
  private final Sharding sharding;
  private final SequencedMap<String, Tensor> parameters;
  private final Tensor embedding;
  private final Optional<Tensor> positions;
  private final List<DecoderLayer> layers;
  private final Norm finalNorm;
  private final Linear head;
  private final RopeTables rope;

  /**
   * Builds the decoder from its weights.
   *
   * @param allocator for the rotary tables
   * @param weights by the names that {@link DecoderTensors} lists
   */
  public Decoder(DecoderConfig config, Allocator allocator, Weights weights) {
    this(config, config, Sharding.NONE, allocator, weights);
  }

  /**
   * Builds one rank's share of a decoder.
   *
   * @param config of the whole
   * @param share what differs on this rank: its heads, its inner width and its part of the
   *     vocabulary
   * @param sharding where it meets other ranks
   * @param allocator for the rotary tables
   * @param weights of the share, by the same names
   */
  public Decoder(
      DecoderConfig config,
      DecoderConfig share,
      Sharding sharding,
      Allocator allocator,
      Weights weights) {
    this.config = config;
    this.share = share;
    this.sharding = sharding;
    NamedTensors named = new NamedTensors(weights);
    this.embedding =
        named.get(
            "model.embed_tokens.weight",
            Shape.of(share.vocab(), config.hidden()),
            Weights.Role.EMBEDDING);
    this.positions =
        named.getIf(
            config.switches().learnedPositions(),
            "model.embed_positions.weight",
            Shape.of(config.context(), config.hidden()),
            Weights.Role.EMBEDDING);
    this.layers = layers(share, named, sharding);
    this.finalNorm = DecoderLayer.norm(config, named, "model.norm");
    this.head =
        config.tiedHead()
            ? new Linear(embedding, null)
            : Linear.of(
                named,
                "lm_head",
                config.hidden(),
                share.vocab(),
                false,
                Weights.Role.INPUT_PROJECTION);
    this.parameters = named.tensors();
    this.rope = tables(config, allocator, finalNorm.weight().dtype());
  }

  /** All layers as they are executed: those that are used again share their weights. */
  private static List<DecoderLayer> layers(DecoderConfig c, NamedTensors named, Sharding sharding) {
    LayerCycle cycle = c.switches().cycle();
    DecoderLayer[] list = new DecoderLayer[c.layers()];
    Map<String, Tensor> bases = new HashMap<>();
    for (int j = 0; j < c.storedLayers(); j++) {
      Weights weights = new LayerWeights(c, j, named, bases);
      DecoderLayer layer = null;
      for (int i = 0; i < list.length; i++) {
        if (c.storedLayer(i) == j) {
          layer = layer == null ? DecoderLayer.of(c, i, weights, sharding) : layer;
          list[i] =
              cycle.zeroToken() && cycle.inBlock(i, list.length)
                  ? layer.with(
                      ZeroToken.of(c, weights.under("self_attn."), cycle.use(i, list.length)))
                  : layer;
        }
      }
    }
    return List.of(list);
  }

  private static RopeTables tables(DecoderConfig c, Allocator allocator, DType dtype) {
    DecoderSwitches s = c.switches();
    int globals = s.rotates(Rotation.GLOBAL) ? c.context() : 1;
    RopeTable global =
        RopeTable.of(allocator, dtype, globals, s.rotary(), c.ropeTheta(), s.scaling());
    return new RopeTables(
        global,
        s.rotates(Rotation.LOCAL)
            ? RopeTable.of(
                allocator, dtype, c.context(), s.rotary(), s.localTheta(), RopeScaling.NONE)
            : global);
  }

  /** Sizes and switches. */
  public DecoderConfig config() {
    return config;
  }

  /** All weights by name, in file order. */
  public SequencedMap<String, Tensor> parameters() {
    return parameters;
  }

  /** Sizes of this rank's share, those of the whole where it has everything. */
  public DecoderConfig share() {
    return share;
  }

  /** Where this share of the decoder meets those of other ranks. */
  public Sharding sharding() {
    return sharding;
  }

  /** Number of weights, of this rank's share if it has one. */
  public long parameterCount() {
    return parameters.values().stream().mapToLong(t -> t.shape().count()).sum();
  }

  /** The layers, first to last. */
  public List<DecoderLayer> layers() {
    return layers;
  }

  /** The norm before the head. */
  public Norm finalNorm() {
    return finalNorm;
  }

  /** The language-model head, {@code [V, C]}, or this rank's rows of it. */
  public Linear head() {
    return head;
  }

  /** Rotary tables up to the context length. */
  public RopeTables rope() {
    return rope;
  }

  /** Ids {@code [B, T]} at positions {@code first ..} to {@code [B, T, C]}. */
  public Tensor embed(Ops ops, Tensor ids, int first) {
    int tokens = ids.shape().size(-1);
    requireContext(first + tokens);
    Tensor x = sharding.embedding(ops, embedding, ids);
    double scale = config.switches().embeddingScale();
    Tensor scaled = scale == 1 ? x : ops.scale(x, scale);
    return positions.map(p -> ops.add(scaled, placed(ops, p, first, tokens))).orElse(scaled);
  }

  /**
   * The next token of several sequences: ids {@code [B, 1]}, that of row {@code b} at position
   * {@code at[b]}, to {@code [B, 1, C]}.
   */
  public Tensor embed(Ops ops, Tensor ids, int[] at) {
    for (int position : at) {
      requireContext(position + 1);
    }
    Tensor x = sharding.embedding(ops, embedding, ids);
    double scale = config.switches().embeddingScale();
    Tensor scaled = scale == 1 ? x : ops.scale(x, scale);
    Tensor places = Tensor.ids(ops.workspace(), Shape.of(at.length, 1), at);
    return positions.map(p -> ops.add(scaled, ops.embedding(p, places))).orElse(scaled);
  }

  /** Vectors of positions {@code first ..}, {@code [T, C]}. */
  private static Tensor placed(Ops ops, Tensor positions, int first, int tokens) {
    int[] ids = IntStream.range(first, first + tokens).toArray();
    return ops.embedding(positions, Tensor.ids(ops.workspace(), Shape.of(tokens), ids));
  }

  /** Final norm and head: {@code [.., C]} to logits {@code [.., V]}. */
  public Tensor logits(Ops ops, Tensor x) {
    return sharding.logits(ops, finalNorm.apply(ops, x), head);
  }

  /**
   * What {@link #logits} are made of, for losses that take the head themselves; with shares, those
   * of {@link #sharding}.
   */
  public HeadInput headInput(Ops ops, Tensor x) {
    return new HeadInput(finalNorm.apply(ops, x), head.weight());
  }

  /** Logits of whole sequences: ids {@code [B, T]} to {@code [B, T, V]}. */
  public Tensor forward(Ops ops, Tensor ids) {
    return logits(ops, forward(ops, ids, config.layers(), Tap.NONE));
  }

  /**
   * The hidden state of whole sequences at a depth. Where nothing is recorded, layers take turns in
   * the same memory, but for what the tap keeps. With shares it may be this rank's rows.
   *
   * @param depth how many layers to run
   * @param tap sees each layer's tensors on the way, and may keep them
   */
  public Tensor forward(Ops ops, Tensor ids, int depth, Tap tap) {
    return run(ops, begin(ops, ids), 0, depth, tap, true, Dropout.NONE);
  }

  /** The hidden state of whole sequences at depth 0; with shares it may be this rank's rows. */
  public Tensor begin(Ops ops, Tensor ids) {
    return sharding.begin(ops, embed(ops, ids, 0));
  }

  /**
   * The hidden state of whole sequences at a depth, from that at another: what one stage of a
   * pipeline does, with the bits of {@link #forward}.
   *
   * @param x the hidden state at depth {@code from}, {@code [B, T, C]}; stays as it is
   * @param to how many layers have run in the end
   */
  public Tensor advance(Ops ops, Tensor x, int from, int to, Tap tap) {
    return advance(ops, x, from, to, tap, Dropout.NONE);
  }

  /**
   * As above, in training.
   *
   * @param dropout of the whole decoder, from the first row of {@code x} on
   */
  public Tensor advance(Ops ops, Tensor x, int from, int to, Tap tap, Dropout dropout) {
    return run(ops, x, from, to, tap, false, dropout);
  }

  private Tensor run(
      Ops ops, Tensor first, int from, int to, Tap tap, boolean mayOverwrite, Dropout dropout) {
    Tensor x = first;
    Deque<Tensor> spare = new ArrayDeque<>();
    for (int i = from; i < to; i++) {
      DecoderLayer layer = layers.get(i);
      Tensor in = x;
      Dropout here = dropout.at("layers." + i);
      Tensor a = step(ops, spare, in, () -> layer.attend(ops, in, rope, here));
      x = step(ops, spare, in, () -> layer.feedForward(ops, a, here));
      if (i == from ? mayOverwrite : !tap.keeps(i)) {
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

  /** Keys, or values, of {@code tokens} tokens in a layer's cache, of this rank's share if any. */
  public Shape cacheShape(int tokens) {
    return Shape.of(tokens, share.kvHeads(), share.headSize());
  }

  /** An empty cache for each layer. */
  public List<KvCache> cache(Allocator allocator, DType dtype, int capacity) {
    return cache(allocator, dtype, capacity, 0, layers.size());
  }

  /** An empty cache for each of the layers {@code from .. to - 1}. */
  public List<KvCache> cache(Allocator allocator, DType dtype, int capacity, int from, int to) {
    requireContext(capacity);
    if (sharding.splitsTokens()) {
      throw new InputException(
          "sequence parallelism shares out whole sequences; for decoding take tensor parallelism"
              + " alone");
    }
    return layers.subList(from, to).stream()
        .map(l -> KvCache.of(allocator, dtype, capacity, share.kvHeads(), share.headSize()))
        .toList();
  }

  /** Fails if a sequence of {@code tokens} tokens is longer than the model's context. */
  public void requireContext(int tokens) {
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

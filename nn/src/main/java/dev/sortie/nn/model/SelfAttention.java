package dev.sortie.nn.model;

import dev.sortie.nn.KvCache;
import dev.sortie.nn.Linear;
import dev.sortie.nn.RopeTable;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.RopeShape;
import java.util.List;

/**
 * Causal grouped-query self-attention with rotary positions.
 *
 * @param config sizes
 * @param q {@code C → H D}
 * @param k {@code C → K D}
 * @param v {@code C → K D}
 * @param o {@code H D → C}
 */
public record SelfAttention(DecoderConfig config, Linear q, Linear k, Linear v, Linear o) {

  /** Takes {@code q_proj}, {@code k_proj}, {@code v_proj} and {@code o_proj}. */
  public static SelfAttention of(DecoderConfig c, Weights weights) {
    long queryWidth = (long) c.heads() * c.headSize();
    long keyWidth = (long) c.kvHeads() * c.headSize();
    var in = Weights.Role.INPUT_PROJECTION;
    return new SelfAttention(
        c,
        Linear.of(weights, "q_proj", c.hidden(), queryWidth, c.attentionBias(), in),
        Linear.of(weights, "k_proj", c.hidden(), keyWidth, c.attentionBias(), in),
        Linear.of(weights, "v_proj", c.hidden(), keyWidth, c.attentionBias(), in),
        Linear.of(
            weights,
            "o_proj",
            queryWidth,
            c.hidden(),
            c.attentionBias(),
            Weights.Role.OUTPUT_PROJECTION));
  }

  /** Whole sequences from position 0: x {@code [B, T, C]} to {@code [B, T, C]}. */
  public Tensor apply(Ops ops, Tensor x, RopeTable rope) {
    int batch = x.shape().size(0);
    int tokens = x.shape().size(1);
    List<Tensor> qkv = Linear.applyAll(ops, x, q, k, v);
    Tensor queries = rotated(ops, qkv.get(0), rope, config.heads(), 0);
    Tensor keys = rotated(ops, qkv.get(1), rope, config.kvHeads(), 0);
    Tensor values = ops.reshape(qkv.get(2), batch, tokens, config.kvHeads(), config.headSize());
    return mix(ops, queries, keys, values, batch, tokens);
  }

  /**
   * The next tokens of one cached sequence: x {@code [1, T, C]} at positions {@code first ..};
   * their keys and values are stored.
   */
  public Tensor apply(Ops ops, Tensor x, RopeTable rope, KvCache cache, int first) {
    int tokens = x.shape().size(1);
    List<Tensor> qkv = Linear.applyAll(ops, x, q, k, v);
    Tensor queries = rotated(ops, qkv.get(0), rope, config.heads(), first);
    store(ops, qkv.get(1), qkv.get(2), rope, cache, first);
    return mix(ops, queries, cache.keys(first + tokens), cache.values(first + tokens), 1, tokens);
  }

  /**
   * As above, but only the last token is asked for, {@code [1, 1, C]}: the others leave their keys
   * and values.
   */
  public Tensor applyLast(Ops ops, Tensor x, RopeTable rope, KvCache cache, int first) {
    int tokens = x.shape().size(1);
    fill(ops, x, rope, cache, first);
    Tensor one = ops.contiguous(ops.slice(x, 1, tokens - 1, 1));
    int count = first + tokens;
    Tensor query = rotated(ops, q.apply(ops, one), rope, config.heads(), count - 1);
    return mix(ops, query, cache.keys(count), cache.values(count), 1, 1);
  }

  /** Stores the keys and values of the next tokens and computes nothing else. */
  public void fill(Ops ops, Tensor x, RopeTable rope, KvCache cache, int first) {
    List<Tensor> kv = Linear.applyAll(ops, x, k, v);
    store(ops, kv.get(0), kv.get(1), rope, cache, first);
  }

  private void store(
      Ops ops, Tensor keys, Tensor values, RopeTable rope, KvCache cache, int first) {
    cache.put(
        ops,
        first,
        rotated(ops, keys, rope, config.kvHeads(), first),
        ops.reshape(values, 1, values.shape().dim(1), config.kvHeads(), config.headSize()));
  }

  /**
   * The next token of several cached sequences that stand at the same position: x {@code [B, 1,
   * C]}. Projections see all rows at once, attention each sequence alone.
   */
  public Tensor apply(Ops ops, Tensor x, RopeTable rope, List<KvCache> caches, int position) {
    int batch = x.shape().size(0);
    List<Tensor> qkv = Linear.applyAll(ops, x, q, k, v);
    Tensor queries = rotated(ops, qkv.get(0), rope, config.heads(), position);
    Tensor keys = rotated(ops, qkv.get(1), rope, config.kvHeads(), position);
    Tensor values = ops.reshape(qkv.get(2), batch, 1, config.kvHeads(), config.headSize());
    Tensor mixed =
        ops.empty(x.dtype(), Shape.of(batch, 1, (long) config.heads() * config.headSize()));
    long width = mixed.shape().dim(-1);
    for (int b = 0; b < batch; b++) {
      KvCache cache = caches.get(b);
      cache.put(ops, position, ops.slice(keys, 0, b, 1), ops.slice(values, 0, b, 1));
      Tensor one =
          attend(
              ops,
              ops.slice(queries, 0, b, 1),
              cache.keys(position + 1),
              cache.values(position + 1));
      ops.kernels().copy(one.span(), mixed.span().slice(b * width, width));
    }
    return o.apply(ops, mixed);
  }

  private Tensor rotated(Ops ops, Tensor x, RopeTable rope, int heads, int first) {
    int batch = x.shape().size(0);
    int tokens = x.shape().size(1);
    int size = config.headSize();
    RopeShape shape =
        new RopeShape(batch, tokens, heads, size, size, first, config.ropeInterleaved());
    return ops.rope(ops.reshape(x, batch, tokens, heads, size), rope.cos(), rope.sin(), shape);
  }

  private Tensor mix(Ops ops, Tensor queries, Tensor keys, Tensor values, int batch, int tokens) {
    Tensor mixed = attend(ops, queries, keys, values);
    return o.apply(
        ops, ops.reshape(mixed, batch, tokens, (long) config.heads() * config.headSize()));
  }

  private Tensor attend(Ops ops, Tensor queries, Tensor keys, Tensor values) {
    int size = config.headSize();
    AttentionShape shape =
        new AttentionShape(
            queries.shape().size(0),
            queries.shape().size(1),
            keys.shape().size(1),
            config.heads(),
            config.kvHeads(),
            size,
            1 / Math.sqrt(size));
    return ops.attention(queries, keys, values, shape);
  }
}

package dev.sortie.nn.model;

import dev.sortie.nn.KvCache;
import dev.sortie.nn.RmsNorm;
import dev.sortie.nn.RopeTable;
import dev.sortie.nn.SwiGluMlp;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.List;

/**
 * One pre-norm transformer layer: {@code a = x + attention(norm(x)); y = a + mlp(norm(a))}.
 *
 * @param inputNorm before attention
 * @param attention self-attention
 * @param postAttentionNorm before the MLP
 * @param mlp SwiGLU
 */
public record DecoderLayer(
    RmsNorm inputNorm, SelfAttention attention, RmsNorm postAttentionNorm, SwiGluMlp mlp) {

  /** Takes the names that Hugging Face gives within a layer. */
  public static DecoderLayer of(DecoderConfig c, Weights weights) {
    return new DecoderLayer(
        RmsNorm.of(weights, "input_layernorm", c.hidden(), c.normEps()),
        SelfAttention.of(c, weights.under("self_attn.")),
        RmsNorm.of(weights, "post_attention_layernorm", c.hidden(), c.normEps()),
        SwiGluMlp.of(weights.under("mlp."), c.hidden(), c.ffn(), c.mlpBias()));
  }

  /** The residual after attention, {@code a}, of whole sequences x {@code [B, T, C]}. */
  public Tensor attend(Ops ops, Tensor x, RopeTable rope) {
    return ops.add(x, attention.apply(ops, inputNorm.apply(ops, x), rope));
  }

  /**
   * The residual after attention of the next tokens of a cached sequence; see {@link
   * SelfAttention}.
   */
  public Tensor attend(Ops ops, Tensor x, RopeTable rope, KvCache cache, int first) {
    return ops.add(x, attention.apply(ops, inputNorm.apply(ops, x), rope, cache, first));
  }

  /**
   * As above for the last token alone, {@code [1, 1, C]}; the others leave their keys and values.
   */
  public Tensor attendLast(Ops ops, Tensor x, RopeTable rope, KvCache cache, int first) {
    Tensor last = ops.contiguous(ops.slice(x, 1, x.shape().dim(1) - 1, 1));
    return ops.add(last, attention.applyLast(ops, inputNorm.apply(ops, x), rope, cache, first));
  }

  /** Stores the keys and values of the next tokens of a cached sequence and nothing else. */
  public void fill(Ops ops, Tensor x, RopeTable rope, KvCache cache, int first) {
    attention.fill(ops, inputNorm.apply(ops, x), rope, cache, first);
  }

  /**
   * The residual after attention of the next token of several cached sequences; see {@link
   * SelfAttention}.
   */
  public Tensor attend(Ops ops, Tensor x, RopeTable rope, List<KvCache> caches, int position) {
    return ops.add(x, attention.apply(ops, inputNorm.apply(ops, x), rope, caches, position));
  }

  /** The layer's output, from the residual after attention. */
  public Tensor feedForward(Ops ops, Tensor a) {
    return ops.add(a, mlp.apply(ops, postAttentionNorm.apply(ops, a)));
  }
}

package dev.sortie.nn.model;

import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * The zero token of one use of a layer (Zero Token Transformer, arXiv 2502.12214): a token inside
 * of attention that no text has, whose key is trained and whose value is zero. What it draws of a
 * head's softmax, {@code s}, the layer's attention adds less of: {@code out = (1 - s)
 * softmax(scores) v}. The gate of the MLP follows from it: {@code y = a + g mlp(n(a))} with {@code
 * g = 1 - mean over heads of s}, so a layer that has nothing to add to a token can say so once for
 * both of its parts.
 *
 * <p>The paper leaves open, or its text was not at hand for, and this is chosen here: the token has
 * no position, so its key is compared with queries before they are rotated; there is one key for
 * each kv head, as of any token; the key begins at 0, where the token is one more key of average
 * score; the gate is the mean over heads, not a learned function of it.
 *
 * @param key {@code [K D]}
 */
public record ZeroToken(Tensor key) {

  /** Takes the key of use {@code use} of a layer, {@code zero_key.N}. */
  static ZeroToken of(DecoderConfig c, Weights weights, int use) {
    return new ZeroToken(
        weights.get(name(use), Shape.of((long) c.kvHeads() * c.headSize()), Weights.Role.BIAS));
  }

  /** The name of a key within a layer's attention. */
  static String name(int use) {
    return "zero_key." + use;
  }

  /**
   * The gate of the MLP.
   *
   * @param share of the zero token, {@code [.., H]}
   * @return {@code [.., 1]}
   */
  static Tensor gate(Ops ops, Tensor share) {
    int heads = share.shape().size(-1);
    Tensor mean = ops.full(share.dtype(), Shape.of(1, heads), -1.0 / heads);
    return ops.linear(share, mean, ops.full(share.dtype(), Shape.of(1), 1));
  }
}

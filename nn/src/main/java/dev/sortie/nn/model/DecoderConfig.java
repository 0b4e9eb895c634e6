package dev.sortie.nn.model;

import dev.sortie.nn.InputException;

/**
 * Sizes and switches of a decoder-only transformer.
 *
 * @param layers number of layers
 * @param hidden C, width of the residual stream
 * @param heads H, query heads
 * @param kvHeads K, key and value heads; divides {@code heads}
 * @param headSize D, elements a head
 * @param ffn F, inner width of the SwiGLU MLP
 * @param vocab V, number of tokens
 * @param context longest sequence in tokens
 * @param normEps added to the mean square in RMSNorm
 * @param ropeTheta base of the rotary frequencies
 * @param ropeInterleaved whether rotary pairs are neighbours, as GGUF files lay out the rows of the
 *     query and key projections, instead of half a head apart
 * @param attentionBias whether q, k, v and the output projection have biases
 * @param mlpBias whether the MLP's projections have biases
 * @param tiedHead whether the head is the embedding table
 */
public record DecoderConfig(
    int layers,
    int hidden,
    int heads,
    int kvHeads,
    int headSize,
    int ffn,
    int vocab,
    int context,
    double normEps,
    double ropeTheta,
    boolean ropeInterleaved,
    boolean attentionBias,
    boolean mlpBias,
    boolean tiedHead) {

  /** Refuses sizes that no model can have. Limits stop a hostile file before memory is taken. */
  public DecoderConfig {
    range("num_hidden_layers", layers, 1, 4096);
    range("hidden_size", hidden, 1, 1 << 20);
    range("num_attention_heads", heads, 1, 1 << 16);
    range("num_key_value_heads", kvHeads, 1, heads);
    range("head_dim", headSize, 2, 1 << 14);
    range("intermediate_size", ffn, 1, 1 << 22);
    range("vocab_size", vocab, 1, 1 << 24);
    range("max_position_embeddings", context, 1, 1 << 26);
    if (heads % kvHeads != 0) {
      throw new InputException(
          "num_key_value_heads " + kvHeads + " does not divide num_attention_heads " + heads);
    }
    if (headSize % 2 != 0) {
      throw new InputException("head_dim " + headSize + " is odd: rotary embedding needs pairs");
    }
    if (!(normEps > 0 && normEps < 1)) {
      throw new InputException("rms_norm_eps " + normEps + " is not between 0 and 1");
    }
    if (!(ropeTheta > 1 && ropeTheta < 1e12)) {
      throw new InputException("rope_theta " + ropeTheta + " is not between 1 and 1e12");
    }
  }

  /** The same with rotary pairs in this order. */
  public DecoderConfig withRopeInterleaved(boolean interleaved) {
    return new DecoderConfig(
        layers,
        hidden,
        heads,
        kvHeads,
        headSize,
        ffn,
        vocab,
        context,
        normEps,
        ropeTheta,
        interleaved,
        attentionBias,
        mlpBias,
        tiedHead);
  }

  private static void range(String field, int value, int low, int high) {
    if (value < low || value > high) {
      throw new InputException(field + " is " + value + ", outside " + low + " to " + high);
    }
  }
}

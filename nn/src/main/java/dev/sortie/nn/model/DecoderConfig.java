package dev.sortie.nn.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;

/**
 * Sizes and switches of a decoder-only transformer.
 *
 * @param layers number of layers as they are executed; see {@link LayerCycle}
 * @param hidden C, width of the residual stream
 * @param heads H, query heads
 * @param kvHeads K, key and value heads; divides {@code heads}
 * @param headSize D, elements a head
 * @param ffn F, inner width of the MLP
 * @param vocab V, number of tokens
 * @param context longest sequence in tokens
 * @param normEps added to the mean square or variance in norms
 * @param ropeTheta base of the rotary frequencies
 * @param ropeInterleaved whether rotary pairs are neighbours, as GGUF files lay out the rows of the
 *     query and key projections, instead of half a head apart
 * @param attentionBias whether q, k and v have biases
 * @param mlpBias whether the MLP's projections have biases
 * @param tiedHead whether the head is the embedding table
 * @param switches what else differs between families
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
    boolean tiedHead,
    DecoderSwitches switches) {
  /** More than any model has; a configuration that says more is damaged. */
  public static final int MOST_LAYERS = 4096;

  public static final int MOST_HIDDEN = 1 << 20;
  public static final int MOST_HEADS = 1 << 16;
  public static final int MOST_FFN = 1 << 22;
  public static final int MOST_CONTEXT = 1 << 26;

  /** Refuses sizes that no model can have. Limits stop a hostile file before memory is taken. */
  public DecoderConfig {
    range("num_hidden_layers", layers, 1, MOST_LAYERS);
    range("hidden_size", hidden, 1, MOST_HIDDEN);
    range("num_attention_heads", heads, 1, MOST_HEADS);
    range("num_key_value_heads", kvHeads, 1, heads);
    range("head_dim", headSize, 2, 1 << 14);
    range("intermediate_size", ffn, 1, MOST_FFN);
    range("vocab_size", vocab, 1, 1 << 24);
    range("max_position_embeddings", context, 1, MOST_CONTEXT);
    if (heads % kvHeads != 0) {
      throw new InputException(
          "num_key_value_heads " + kvHeads + " does not divide num_attention_heads " + heads);
    }
    int rotary = switches.rotary();
    boolean rotates = !switches.learnedPositions();
    if (rotates && rotary == headSize && headSize % 2 != 0) {
      throw new InputException("head_dim " + headSize + " is odd: rotary embedding needs pairs");
    }
    if (rotates && (rotary < 2 || rotary > headSize || rotary % 2 != 0)) {
      throw new InputException(
          "%d of the %d elements of a head would be rotated, it must be an even number from 2 on; check partial_rotary_factor"
              .formatted(rotary, headSize));
    }
    switches.cycle().check(layers);
    int kinds = switches.layers().size();
    if (kinds != 0 && kinds != layers) {
      throw new InputException("layer_types has " + kinds + " entries for " + layers + " layers");
    }
    if (!(normEps > 0 && normEps < 1)) {
      throw new InputException("norm eps (rms_norm_eps) " + normEps + " is not between 0 and 1");
    }
    if (!(ropeTheta > 1 && ropeTheta < 1e12)) {
      throw new InputException("rope_theta " + ropeTheta + " is not between 1 and 1e12");
    }
  }

  /** A plain model of the Llama family; {@code attentionBias} then counts for the output too. */
  public DecoderConfig(
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
    this(
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
        ropeInterleaved,
        attentionBias,
        mlpBias,
        tiedHead,
        DecoderSwitches.llama(headSize, attentionBias));
  }

  /** Whether nothing differs from the Llama family, the scaling of rotary frequencies included. */
  public boolean isPlainLlama() {
    return switches.equals(DecoderSwitches.llama(headSize, attentionBias));
  }

  /** The same with rotary pairs in this order. */
  public DecoderConfig withRopeInterleaved(boolean interleaved) {
    return with(layers, vocab, context, interleaved, switches);
  }

  /** The same over another number of tokens. */
  public DecoderConfig withVocab(int tokens) {
    return with(layers, tokens, context, ropeInterleaved, switches);
  }

  /** The same for texts of another length. */
  public DecoderConfig withContext(int positions) {
    return with(layers, vocab, positions, ropeInterleaved, switches);
  }

  /** Number of layers that have weights of their own. */
  public int storedLayers() {
    return switches.cycle().stored(layers);
  }

  /** The layer, among those that have weights of their own, that is executed as layer {@code i}. */
  public int storedLayer(int i) {
    return switches.cycle().storedLayer(i, layers);
  }

  /**
   * Fails if layers are used again, which {@code what} cannot do.
   *
   * @param what an option, such as {@code --pp 2}
   */
  public void requireLayersUsedOnce(String what) {
    if (!switches.cycle().equals(LayerCycle.NONE)) {
      throw new InputException(
          "%s: this model uses its layers 2 to %d %d times over, which works on one whole model only; leave the option out"
              .formatted(what, storedLayers() - 1, switches.cycle().times()));
    }
  }

  /**
   * The same with another number of layers, each used once; kinds of layers repeat where there are
   * more.
   */
  public DecoderConfig withLayers(int count) {
    return with(count, vocab, context, ropeInterleaved, switches.withLayers(count));
  }

  /** The same stored layers, some of them used again. */
  public DecoderConfig withCycle(LayerCycle cycle) {
    int executed = cycle.executed(storedLayers());
    return with(executed, vocab, context, ropeInterleaved, switches.withCycle(cycle));
  }

  /** The same with another change of the rotary frequencies. */
  public DecoderConfig withScaling(RopeScaling scaling) {
    return with(layers, vocab, context, ropeInterleaved, switches.withScaling(scaling));
  }

  /** The same with these shared bases. */
  public DecoderConfig withBases(SharedBases bases) {
    return with(layers, vocab, context, ropeInterleaved, switches.withBases(bases));
  }

  private DecoderConfig with(
      int count, int tokens, int positions, boolean interleaved, DecoderSwitches others) {
    return new DecoderConfig(
        count,
        hidden,
        heads,
        kvHeads,
        headSize,
        ffn,
        tokens,
        positions,
        normEps,
        ropeTheta,
        interleaved,
        attentionBias,
        mlpBias,
        tiedHead,
        others);
  }

  private static void range(String field, int value, int low, int high) {
    if (value < low || value > high) {
      throw new InputException(field + " is " + value + ", outside " + low + " to " + high);
    }
  }
}

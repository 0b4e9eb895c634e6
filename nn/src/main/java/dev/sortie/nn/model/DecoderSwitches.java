package dev.sortie.nn.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What makes one family of decoders differ from the next, apart from sizes.
 *
 * @param norm kind of all norms but those of queries and keys, which are RMSNorm
 * @param residual where norms stand, and what is added to what
 * @param activation of the MLP
 * @param gated whether the MLP has a gate
 * @param queryKeyNorm what of queries and keys is normalised before they are rotated
 * @param outputBias whether the projection after attention has a bias
 * @param learnedPositions whether the embedding adds a vector for each position
 * @param embeddingScale factor on token embeddings
 * @param attentionScale factor on attention scores
 * @param rotary elements of a head that are rotated, the first ones; even
 * @param scaling change of the rotary frequencies in layers of {@link Rotation#GLOBAL}
 * @param localTheta base of the rotary frequencies in layers of {@link Rotation#LOCAL}
 * @param layers what each layer sees; empty if all see everything and are rotated
 * @param bases which projections share bases across layers
 * @param cycle which layers are used again
 */
public record DecoderSwitches(
    NormKind norm,
    Residual residual,
    Activation activation,
    boolean gated,
    QueryKeyNorm queryKeyNorm,
    boolean outputBias,
    boolean learnedPositions,
    double embeddingScale,
    double attentionScale,
    int rotary,
    RopeScaling scaling,
    double localTheta,
    List<LayerKind> layers,
    SharedBases bases,
    LayerCycle cycle) {

  /** Kinds of norms. */
  public enum NormKind {
    /** Root mean square, with a scale. */
    RMS,
    /** Mean and variance, with scale and bias. */
    LAYER
  }

  /** How a layer adds to the residual stream; {@code n} are norms, each of its own. */
  public enum Residual {
    /** {@code a = x + attention(n(x)); y = a + mlp(n(a))}. */
    PRE_NORM,
    /** {@code a = x + n(attention(x)); y = a + n(mlp(a))}. */
    POST_NORM,
    /** {@code a = x + n(attention(n(x))); y = a + n(mlp(n(a)))}. */
    BOTH_NORMS,
    /** {@code y = x + mlp(n(x)) + attention(n(x))}. */
    PARALLEL
  }

  /** Activation functions of the MLP. */
  public enum Activation {
    /** {@code x / (1 + e^-x)}. */
    SILU,
    /** {@code x Φ(x)}. */
    GELU,
    /** Its approximation by tanh. */
    GELU_TANH
  }

  /** What of queries and keys is normalised. */
  public enum QueryKeyNorm {
    /** Nothing. */
    NONE,
    /** Each head alone, with one scale for all. */
    HEAD,
    /** The whole projection. */
    PROJECTION
  }

  /** How the positions of a layer are told. */
  public enum Rotation {
    /** By the base of the model. */
    GLOBAL,
    /** By the base of layers with a window. */
    LOCAL,
    /** Not at all. */
    NONE
  }

  /**
   * What a layer's attention sees.
   *
   * @param window most keys that a query sees, its own among them; {@code Integer.MAX_VALUE} for
   *     all
   * @param rotation its rotary frequencies
   */
  public record LayerKind(int window, Rotation rotation) {
    /** Sees everything. */
    public static final LayerKind FULL = new LayerKind(Integer.MAX_VALUE, Rotation.GLOBAL);

    /** Refuses a window of nothing. */
    public LayerKind {
      if (window < 1) {
        throw new InputException("sliding_window is " + window + ", a query sees at least itself");
      }
    }
  }

  /** Refuses what no model can have. */
  public DecoderSwitches {
    layers = List.copyOf(layers);
    if (!cycle.equals(LayerCycle.NONE) && (!layers.isEmpty() || residual == Residual.PARALLEL)) {
      throw new InputException(
          "layers that are used again must all see everything, and attend before their MLP");
    }
    if (!cycle.equals(LayerCycle.NONE) && !bases.isNone()) {
      throw new InputException(
          "layers that are used again cannot share bases too; take a model that uses each layer once");
    }
    if (activation == Activation.SILU && !gated) {
      throw new InputException("an MLP with silu and without a gate is not supported");
    }
    positive("embedding scale", embeddingScale);
    positive("attention scale", attentionScale);
    if (!(localTheta > 1 && localTheta < 1e12)) {
      throw new InputException("rope_local_base_freq " + localTheta + " is not between 1 and 1e12");
    }
  }

  /** Those of the Llama family. */
  public static DecoderSwitches llama(int headSize, boolean outputBias) {
    return new DecoderSwitches(
        NormKind.RMS,
        Residual.PRE_NORM,
        Activation.SILU,
        true,
        QueryKeyNorm.NONE,
        outputBias,
        false,
        1,
        1 / Math.sqrt(headSize),
        headSize,
        RopeScaling.NONE,
        10_000,
        List.of(),
        SharedBases.NONE,
        LayerCycle.NONE);
  }

  /** The same with another change of the rotary frequencies. */
  public DecoderSwitches withScaling(RopeScaling other) {
    return with(other, layers, bases, cycle);
  }

  /** The same with other layers used again. */
  public DecoderSwitches withCycle(LayerCycle other) {
    return with(scaling, layers, bases, other);
  }

  /**
   * The same for another number of layers, each used once; kinds of layers repeat where there are
   * more.
   */
  public DecoderSwitches withLayers(int count) {
    return with(
        scaling,
        layers.isEmpty()
            ? layers
            : IntStream.range(0, count).mapToObj(i -> layers.get(i % layers.size())).toList(),
        bases,
        LayerCycle.NONE);
  }

  /**
   * The same for layers of these kinds, each used once; none if all see everything and are rotated.
   */
  public DecoderSwitches withKinds(List<LayerKind> kinds) {
    return with(scaling, kinds, bases, LayerCycle.NONE);
  }

  /** The same with these bases. */
  public DecoderSwitches withBases(SharedBases shared) {
    return with(scaling, layers, shared, cycle);
  }

  private DecoderSwitches with(
      RopeScaling other, List<LayerKind> kinds, SharedBases shared, LayerCycle uses) {
    return new DecoderSwitches(
        norm,
        residual,
        activation,
        gated,
        queryKeyNorm,
        outputBias,
        learnedPositions,
        embeddingScale,
        attentionScale,
        rotary,
        other,
        localTheta,
        kinds,
        shared,
        uses);
  }

  /** What layer {@code i}, from 0, sees. */
  public LayerKind layer(int i) {
    return layers.isEmpty() ? LayerKind.FULL : layers.get(i);
  }

  /** Whether some layer is rotated in this way. */
  public boolean rotates(Rotation rotation) {
    return layers.isEmpty()
        ? rotation == Rotation.GLOBAL
        : layers.stream().anyMatch(k -> k.rotation() == rotation);
  }

  private static void positive(String what, double value) {
    if (!(value > 0 && value < 1e6)) {
      throw new InputException(what + " is " + value + ", not between 0 and 1e6");
    }
  }
}

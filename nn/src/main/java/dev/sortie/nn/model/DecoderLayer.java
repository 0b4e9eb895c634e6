package dev.sortie.nn.model;

import dev.sortie.nn.CachedRows;
import dev.sortie.nn.Dropout;
import dev.sortie.nn.GeluMlp;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.LayerNorm;
import dev.sortie.nn.Mlp;
import dev.sortie.nn.Norm;
import dev.sortie.nn.RmsNorm;
import dev.sortie.nn.RopeTables;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.SwiGluMlp;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.DecoderSwitches.Activation;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.SelfAttention.Attended;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.List;
import java.util.Optional;

/**
 * One transformer layer in two steps: {@code a}, the residual after attention, then the output
 * {@code y}. {@link Residual} has the formulas. A parallel layer has no residual between its parts:
 * its first step is all of it, {@code a = y}, and its second changes nothing. So it is where a
 * {@link ZeroToken} gates the MLP, since the gate is known in the first step.
 *
 * @param inputNorm before attention, where there is one
 * @param attention self-attention
 * @param attentionOutputNorm after attention, where there is one
 * @param postAttentionNorm before the MLP, where there is one
 * @param mlp the MLP
 * @param mlpOutputNorm after the MLP, where there is one
 * @param parallel whether attention and MLP read the same input
 */
public record DecoderLayer(
    Optional<Norm> inputNorm,
    SelfAttention attention,
    Optional<Norm> attentionOutputNorm,
    Optional<Norm> postAttentionNorm,
    Mlp mlp,
    Optional<Norm> mlpOutputNorm,
    boolean parallel) {

  /**
   * Takes a layer's tensors by their names within it; see {@link DecoderTensors}.
   *
   * @param index number of the layer, from 0, which may decide what its attention sees
   */
  public static DecoderLayer of(DecoderConfig c, int index, Weights weights) {
    return of(c, index, weights, Sharding.NONE);
  }

  /**
   * One rank's share of a layer.
   *
   * @param c sizes of the share
   * @param weights of the share
   * @param sharding where it meets other ranks
   */
  public static DecoderLayer of(DecoderConfig c, int index, Weights weights, Sharding sharding) {
    Residual r = c.switches().residual();
    boolean before = r != Residual.POST_NORM;
    boolean behind = r == Residual.POST_NORM || r == Residual.BOTH_NORMS;
    return new DecoderLayer(
        norm(before, c, weights, "input_layernorm"),
        SelfAttention.of(c, index, weights.under("self_attn."), sharding),
        norm(behind, c, weights, "attention_output_norm"),
        norm(before, c, weights, "post_attention_layernorm"),
        mlp(c, weights.under("mlp."), sharding),
        norm(behind, c, weights, "mlp_output_norm"),
        r == Residual.PARALLEL);
  }

  /** The same weights with a zero token in attention, and the MLP gated by it. */
  DecoderLayer with(ZeroToken zeroToken) {
    return new DecoderLayer(
        inputNorm,
        attention.with(zeroToken),
        attentionOutputNorm,
        postAttentionNorm,
        mlp,
        mlpOutputNorm,
        parallel);
  }

  /** Whether the first step is all of the layer, so that {@code a} is its output. */
  public boolean isOneStep() {
    return parallel || attention.zeroToken().isPresent();
  }

  /** One rank's share of an MLP; see {@link #of(DecoderConfig, int, Weights, Sharding)}. */
  public static Mlp mlp(DecoderConfig c, Weights weights, Sharding sharding) {
    DecoderSwitches s = c.switches();
    return s.activation() == Activation.SILU
        ? SwiGluMlp.of(weights, c.hidden(), c.ffn(), c.mlpBias(), sharding)
        : GeluMlp.of(
            weights,
            c.hidden(),
            c.ffn(),
            c.mlpBias(),
            s.gated(),
            s.activation() == Activation.GELU_TANH,
            sharding);
  }

  /** A norm of the model's kind over the residual stream. */
  public static Norm norm(DecoderConfig c, Weights weights, String name) {
    return c.switches().norm() == NormKind.RMS
        ? RmsNorm.of(weights, name, c.hidden(), c.normEps())
        : LayerNorm.of(weights, name, c.hidden(), c.normEps());
  }

  private static Optional<Norm> norm(
      boolean wanted, DecoderConfig c, Weights weights, String name) {
    return wanted ? Optional.of(norm(c, weights, name)) : Optional.empty();
  }

  /** The residual after attention, {@code a}, of whole sequences x {@code [B, T, C]}. */
  public Tensor attend(Ops ops, Tensor x, RopeTables rope) {
    return attend(ops, x, rope, Dropout.NONE);
  }

  /**
   * As above, in training.
   *
   * @param dropout of this layer
   */
  public Tensor attend(Ops ops, Tensor x, RopeTables rope, Dropout dropout) {
    return residual(ops, x, attention.apply(ops, normed(ops, inputNorm, x), rope), dropout);
  }

  /**
   * The residual after attention of drafts: row t of x {@code [B, T, C]} stands {@code ahead}
   * positions after token t of a sequence, and sees the sequence up to that token, and itself.
   *
   * @param text the layer's input for the sequences' own tokens, {@code [B, T, C]}
   */
  public Tensor attendAhead(Ops ops, Tensor x, Tensor text, RopeTables rope, int ahead) {
    Tensor in = normed(ops, inputNorm, x);
    Tensor seen = normed(ops, inputNorm, text);
    return residual(ops, x, attention.applyAhead(ops, in, seen, rope, ahead));
  }

  /**
   * The residual after attention of the next tokens of a cached sequence; see {@link
   * SelfAttention}.
   */
  public Tensor attend(Ops ops, Tensor x, RopeTables rope, KvCache cache, int first) {
    return residual(ops, x, attention.apply(ops, normed(ops, inputNorm, x), rope, cache, first));
  }

  /**
   * As above for the last token alone, {@code [1, 1, C]}; the others leave their keys and values.
   */
  public Tensor attendLast(Ops ops, Tensor x, RopeTables rope, KvCache cache, int first) {
    Tensor last = ops.contiguous(ops.slice(x, 1, x.shape().dim(1) - 1, 1));
    Tensor in = normed(ops, inputNorm, x);
    return residual(ops, last, attention.applyLast(ops, in, rope, cache, first));
  }

  /**
   * The residual after attention of tokens of several cached sequences, x {@code [1, R, C]}, whose
   * keys and values {@link #fill(Ops, Tensor, RopeTables, List) fill} has stored.
   */
  public Tensor attendFilled(Ops ops, Tensor x, RopeTables rope, List<CachedRows> sequences) {
    Tensor in = normed(ops, inputNorm, x);
    return residual(ops, x, attention.applyFilled(ops, in, rope, sequences));
  }

  /**
   * What the zero token takes of each head's softmax for whole sequences x {@code [B, T, C]}, the
   * layer's input: {@code [B, T, H]}; empty where there is none. For measurements; it computes
   * attention once more.
   */
  public Optional<Tensor> zeroShare(Ops ops, Tensor x, RopeTables rope) {
    return attention.zeroToken().isEmpty()
        ? Optional.empty()
        : attention.apply(ops, normed(ops, inputNorm, x), rope).zeroShare();
  }

  /** Stores the keys and values of the next tokens of a cached sequence and nothing else. */
  public void fill(Ops ops, Tensor x, RopeTables rope, KvCache cache, int first) {
    attention.fill(ops, normed(ops, inputNorm, x), rope, cache, first);
  }

  /** As above for the next tokens of several cached sequences. */
  public void fill(Ops ops, Tensor x, RopeTables rope, List<CachedRows> sequences) {
    attention.fill(ops, normed(ops, inputNorm, x), rope, sequences);
  }

  /**
   * The residual after attention of the next tokens of several cached sequences; see {@link
   * SelfAttention}.
   */
  public Tensor attend(Ops ops, Tensor x, RopeTables rope, List<CachedRows> sequences) {
    return residual(ops, x, attention.apply(ops, normed(ops, inputNorm, x), rope, sequences));
  }

  /** The layer's output, from the residual after attention. */
  public Tensor feedForward(Ops ops, Tensor a) {
    return feedForward(ops, a, Dropout.NONE);
  }

  /**
   * As above, in training.
   *
   * @param dropout of this layer
   */
  public Tensor feedForward(Ops ops, Tensor a, Dropout dropout) {
    return isOneStep() ? a : feedForward(ops, a, mlp, dropout);
  }

  /** {@code a} and what another MLP between this layer's norms adds to it. */
  public Tensor feedForward(Ops ops, Tensor a, Mlp other) {
    return feedForward(ops, a, other, Dropout.NONE);
  }

  private Tensor feedForward(Ops ops, Tensor a, Mlp other, Dropout dropout) {
    return ops.add(a, fed(ops, a, other, dropout));
  }

  /** What an MLP between this layer's norms adds to {@code a}. */
  private Tensor fed(Ops ops, Tensor a, Mlp other, Dropout dropout) {
    Tensor added = normed(ops, mlpOutputNorm, other.apply(ops, normed(ops, postAttentionNorm, a)));
    return dropout.at("mlp").apply(ops, added);
  }

  private Tensor residual(Ops ops, Tensor x, Attended attended) {
    return residual(ops, x, attended, Dropout.NONE);
  }

  private Tensor residual(Ops ops, Tensor x, Attended attended, Dropout dropout) {
    Tensor rest = parallel ? feedForward(ops, x, mlp, dropout) : x;
    Tensor added = normed(ops, attentionOutputNorm, attended.out());
    Tensor a = ops.add(rest, dropout.at("attention").apply(ops, added));
    return attended
        .zeroShare()
        .map(s -> ops.add(a, ops.mul(fed(ops, a, mlp, dropout), ZeroToken.gate(ops, s))))
        .orElse(a);
  }

  private static Tensor normed(Ops ops, Optional<Norm> norm, Tensor x) {
    return norm.isPresent() ? norm.get().apply(ops, x) : x;
  }
}

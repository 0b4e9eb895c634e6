package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.Linear;
import dev.sortie.nn.NamedTensors;
import dev.sortie.nn.RmsNorm;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/**
 * The lookahead exit: from the final hidden state {@code h_t} (the last layer's output, before the
 * final norm) and the token chosen from it, {@code x_{t+1}}, it predicts the token after that:
 *
 * <pre>
 * u_t = H rms(h_t) + E rms(embedding(x_{t+1})),   y_t = layer(u_0 … u_t),   logits of x_{t+2} = W finalNorm(y_t)
 * </pre>
 *
 * {@code y_t} stands for {@code h_{t+1}}, which full depth would have computed, so that it unrolls:
 * with {@code x_{t+2}} it gives {@code y_{t+1}}, and so on. The final norm is the backbone's.
 * Relatives: EAGLE (arXiv 2401.15077), multi-token prediction (arXiv 2404.19737; DeepSeek-V3, arXiv
 * 2412.19437, section 2.2). Depth, in files and options, is the number of layers.
 */
public final class Lookahead {
  private final Decoder backbone;
  private final boolean ownHead;
  private final Sharding sharding;
  private final Optional<DraftVocabulary> draft;
  private final SequencedMap<String, Tensor> parameters;
  private final Modules modules;
  private final Linear head;

  /** The modules in front of the head. */
  record Modules(
      RmsNorm hiddenNorm,
      RmsNorm tokenNorm,
      Linear hiddenProjection,
      Linear tokenProjection,
      DecoderLayer layer) {

    static Modules of(DecoderConfig c, Weights weights, Sharding sharding) {
      var in = Weights.Role.INPUT_PROJECTION;
      return new Modules(
          RmsNorm.of(weights, "hidden_norm", c.hidden(), c.normEps()),
          RmsNorm.of(weights, "token_norm", c.hidden(), c.normEps()),
          Linear.of(weights, "hidden_proj", c.hidden(), c.hidden(), false, in),
          Linear.of(weights, "token_proj", c.hidden(), c.hidden(), false, in),
          DecoderLayer.of(c, c.layers() - 1, weights.under("layer."), sharding));
    }
  }

  /**
   * Builds it from its weights.
   *
   * @param weights by names within the exit: {@code hidden_norm.weight}, {@code token_norm.weight},
   *     {@code hidden_proj.weight}, {@code token_proj.weight}, {@code layer.…}, {@code head.weight}
   * @param ownHead whether it has a head of its own; otherwise it reads the backbone's
   * @param draft the tokens that its head covers, where they are not all
   * @param allocator for the rows of the backbone's head that a draft head without own weights
   *     reads
   */
  public Lookahead(
      Decoder backbone,
      Weights weights,
      boolean ownHead,
      Optional<DraftVocabulary> draft,
      Allocator allocator) {
    if (backbone.sharding().splitsTokens()) {
      throw new InputException(
          "a lookahead exit reads tokens together with their neighbours, which sequence parallelism gives"
              + " to other ranks; drop it, or take tensor parallelism alone");
    }
    NamedTensors named = new NamedTensors(weights);
    this.backbone = backbone;
    this.ownHead = ownHead;
    this.draft = draft;
    this.sharding = Heads.sharding(backbone, draft);
    this.modules = Modules.of(backbone.share(), named, backbone.sharding());
    this.head = Heads.of(named, backbone, ownHead, draft, allocator);
    this.parameters = named.tensors();
  }

  private Lookahead(Lookahead l, Linear head) {
    this.backbone = l.backbone;
    this.ownHead = l.ownHead;
    this.draft = l.draft;
    this.sharding = l.sharding;
    this.parameters = l.parameters;
    this.modules = l.modules;
    this.head = head;
  }

  /** The same exit with its draft head, if it has one of the backbone's rows, held otherwise. */
  Lookahead withDraftHead(UnaryOperator<Linear> hold) {
    return draft.isEmpty() || ownHead ? this : new Lookahead(this, hold.apply(head));
  }

  /** Whether it has a head of its own. */
  public boolean ownHead() {
    return ownHead;
  }

  /** The tokens that its head covers, where they are not all. */
  public Optional<DraftVocabulary> draft() {
    return draft;
  }

  /** The token that index {@code i} of its logits stands for. */
  public int token(int i) {
    return draft.map(d -> d.id(i)).orElse(i);
  }

  /** Where its tensors and its head meet those of other ranks. */
  public Sharding sharding() {
    return sharding;
  }

  /** Its own tensors by name, without the backbone's. */
  public SequencedMap<String, Tensor> parameters() {
    return parameters;
  }

  /**
   * Whole sequences, for tuning and scoring.
   *
   * @param h final hidden states {@code h_t}, or what stands for them, {@code [B, T, C]}
   * @param next the token after each, I32 {@code [B, T]}
   * @return {@code y_t}, {@code [B, T, C]}
   */
  public Tensor states(Ops ops, Tensor h, Tensor next) {
    Tensor u = input(ops, h, next, 0);
    DecoderLayer layer = modules.layer();
    return layer.feedForward(ops, layer.attend(ops, u, backbone.rope()));
  }

  /** A cache for {@link #advance}. */
  public KvCache cache(Allocator allocator, DType dtype, int capacity) {
    DecoderConfig c = backbone.share();
    return KvCache.of(allocator, dtype, capacity, c.kvHeads(), c.headSize());
  }

  /**
   * The last of the next states of a cached sequence, {@code [1, 1, C]}: {@code y_t} for h {@code
   * [1, T, C]} and next {@code [1, T]} at positions {@code first ..}, position {@code t} being that
   * of {@code h_t}. Those before it leave only their keys and values. What a draft stored is
   * overwritten when the true hidden states come.
   */
  public Tensor advance(Ops ops, Tensor h, Tensor next, KvCache cache, int first) {
    Tensor u = input(ops, h, next, first);
    DecoderLayer layer = modules.layer();
    Tensor a =
        u.shape().dim(1) == 1
            ? layer.attend(ops, u, backbone.rope(), cache, first)
            : layer.attendLast(ops, u, backbone.rope(), cache, first);
    return layer.feedForward(ops, a);
  }

  /** Stores the keys and values of the next states of a cached sequence, h and next as above. */
  public void fill(Ops ops, Tensor h, Tensor next, KvCache cache, int first) {
    modules.layer().fill(ops, input(ops, h, next, first), backbone.rope(), cache, first);
  }

  /** A token is embedded at the position of the hidden state before it. */
  private Tensor input(Ops ops, Tensor h, Tensor next, int first) {
    Tensor token = modules.tokenNorm().apply(ops, backbone.embed(ops, next, first));
    Tensor hidden = modules.hiddenNorm().apply(ops, h);
    return ops.add(
        modules.hiddenProjection().apply(ops, hidden), modules.tokenProjection().apply(ops, token));
  }

  /** What logits are made of, from states {@code [.., C]}. */
  public HeadInput headInput(Ops ops, Tensor y) {
    return new HeadInput(backbone.finalNorm().apply(ops, y), head.weight());
  }

  /** Logits from states {@code [.., C]}: {@code [.., V]}, or {@code [.., N]} of a draft head. */
  public Tensor logits(Ops ops, Tensor y) {
    return sharding.logits(ops, backbone.finalNorm().apply(ops, y), head);
  }
}

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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The lookahead exit: from the hidden state {@code h_t} of a token and the token chosen after it,
 * {@code x_{t+1}}, it predicts the token after that:
 *
 * <pre>
 * u_t = H rms(h_t) + E rms(embedding(x_{t+1})),   y_t = layer(u_0 … u_t),   logits of x_{t+2} = W finalNorm(y_t)
 * </pre>
 *
 * {@code y_t} stands for {@code h_{t+1}}, which full depth would have computed, so that it unrolls:
 * with {@code x_{t+2}} it gives {@code y_{t+1}}, and so on. The final norm is the backbone's.
 *
 * <p>{@code h_t} is the final hidden state (the last layer's output, before the final norm), or
 * that of another layer, or joined from those of several layers {@code d}: {@code h_t = Σ F_d
 * rms(h_{t,d})}. Without the last layer among them, all tokens of a prompt have their {@code h_t}.
 *
 * <p>Relatives: EAGLE (arXiv 2401.15077) and EAGLE-3 (arXiv 2503.01840, section 3: hidden states of
 * three layers, training on own states), multi-token prediction (arXiv 2404.19737; DeepSeek-V3,
 * arXiv 2412.19437, section 2.2). Depth, in files and options, is the number of layers.
 */
public final class Lookahead {
  /** A tensor's name begins with it, and goes on with the layer. */
  static final String FEATURE_NORM = "feature_norm.";

  /** A tensor's name begins with it, and goes on with the layer. */
  static final String FEATURE_PROJECTION = "feature_proj.";

  private final Decoder backbone;
  private final List<Integer> features;
  private final boolean ownHead;
  private final Sharding sharding;
  private final Optional<DraftVocabulary> draft;
  private final SequencedMap<String, Tensor> parameters;
  private final Modules modules;
  private final Linear head;

  /**
   * What joins one layer's hidden states to those of others.
   *
   * @param norm its norm
   * @param projection {@code F}, {@code [C, C]}
   */
  record Feature(RmsNorm norm, Linear projection) {
    Tensor of(Ops ops, Tensor h) {
      return projection.apply(ops, norm.apply(ops, h));
    }
  }

  /**
   * The modules in front of the head.
   *
   * @param features by layer; none where the states of one layer are read as they are
   */
  record Modules(
      List<Feature> features,
      RmsNorm hiddenNorm,
      RmsNorm tokenNorm,
      Linear hiddenProjection,
      Linear tokenProjection,
      DecoderLayer layer) {

    static Modules of(DecoderConfig c, List<Integer> features, Weights weights, Sharding sharding) {
      var in = Weights.Role.INPUT_PROJECTION;
      List<Feature> joined = new ArrayList<>();
      if (features.size() > 1) {
        for (int d : features) {
          joined.add(
              new Feature(
                  RmsNorm.of(weights, FEATURE_NORM + d, c.hidden(), c.normEps()),
                  Linear.of(weights, FEATURE_PROJECTION + d, c.hidden(), c.hidden(), false, in)));
        }
      }
      return new Modules(
          joined,
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
   *     {@code hidden_proj.weight}, {@code token_proj.weight}, {@code layer.…}, {@code
   *     head.weight}; for several features {@code feature_norm.DEPTH.weight} and {@code
   *     feature_proj.DEPTH.weight} of each
   * @param features the layers whose hidden states it reads, ascending, from 1; empty for the last
   * @param ownHead whether it has a head of its own; otherwise it reads the backbone's
   * @param draft the tokens that its head covers, where they are not all
   * @param allocator for the rows of the backbone's head that a draft head without own weights
   *     reads
   */
  public Lookahead(
      Decoder backbone,
      Weights weights,
      List<Integer> features,
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
    this.features = features(features, backbone.config().layers());
    this.ownHead = ownHead;
    this.draft = draft;
    this.sharding = Heads.sharding(backbone, draft);
    this.modules = Modules.of(backbone.share(), this.features, named, backbone.sharding());
    this.head = Heads.of(named, backbone, ownHead, draft, allocator);
    this.parameters = named.tensors();
  }

  private Lookahead(Lookahead l, Linear head) {
    this.backbone = l.backbone;
    this.features = l.features;
    this.ownHead = l.ownHead;
    this.draft = l.draft;
    this.sharding = l.sharding;
    this.parameters = l.parameters;
    this.modules = l.modules;
    this.head = head;
  }

  /** The backbone whose states and head it may read. */
  Decoder backbone() {
    return backbone;
  }

  /** The same exit with its draft head, if it has one of the backbone's rows, held otherwise. */
  Lookahead withDraftHead(UnaryOperator<Linear> hold) {
    return draft.isEmpty() || ownHead ? this : new Lookahead(this, hold.apply(head));
  }

  /**
   * The layers whose hidden states an exit reads.
   *
   * @param wanted ascending; empty for the last
   * @param layers of the backbone
   */
  static List<Integer> features(List<Integer> wanted, int layers) {
    if (!deepen(wanted) || wanted.stream().anyMatch(d -> d < 1 || d > layers)) {
      throw new InputException(
          "a lookahead exit that reads the hidden states of layers %s: expected layers of 1 to %d, each deeper than the one before"
              .formatted(wanted, layers));
    }
    return wanted.isEmpty() ? List.of(layers) : List.copyOf(wanted);
  }

  /** Whether each of these layers is deeper than the one before. */
  static boolean deepen(List<Integer> layers) {
    return IntStream.range(1, layers.size()).allMatch(i -> layers.get(i) > layers.get(i - 1));
  }

  /** The layers whose hidden states it reads, ascending, from 1; usually the last one alone. */
  public List<Integer> features() {
    return features;
  }

  /** Whether it reads the hidden states after the last layer and no others. */
  public boolean readsFinalStates() {
    return features.equals(List.of(backbone.config().layers()));
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
   * What stands for the hidden states of some tokens.
   *
   * @param states outputs of a layer of {@link #features}, by its depth, {@code [.., C]}
   * @return {@code h_t}, of the same shape
   */
  public Tensor join(Ops ops, IntFunction<Tensor> states) {
    List<Feature> joined = modules.features();
    Tensor first = states.apply(features.getFirst());
    if (joined.isEmpty()) {
      return first;
    }
    Tensor h = joined.getFirst().of(ops, first);
    for (int i = 1; i < joined.size(); i++) {
      h = ops.add(h, joined.get(i).of(ops, states.apply(features.get(i))));
    }
    return h;
  }

  /**
   * What the exit's layer reads of whole sequences, for tuning and scoring.
   *
   * @param h hidden states {@code h_t} of {@link #join}, or its own, {@code [B, T, C]}
   * @param next the token after each, I32 {@code [B, T]}; embedded at the position of the hidden
   *     state before it
   * @param first position of the first hidden state
   * @return {@code u_t}, {@code [B, T, C]}
   */
  public Tensor input(Ops ops, Tensor h, Tensor next, int first) {
    Tensor token = modules.tokenNorm().apply(ops, backbone.embed(ops, next, first));
    Tensor hidden = modules.hiddenNorm().apply(ops, h);
    return ops.add(
        modules.hiddenProjection().apply(ops, hidden), modules.tokenProjection().apply(ops, token));
  }

  /** {@code y_t} for the {@code u_t} of whole sequences, {@code [B, T, C]}. */
  public Tensor states(Ops ops, Tensor u) {
    DecoderLayer layer = modules.layer();
    return layer.feedForward(ops, layer.attend(ops, u, backbone.rope()));
  }

  /**
   * The same further ahead: row t stands {@code ahead} positions after token t, and sees the text
   * up to that token, and itself. In decoding it also sees drafts between them, of which there are
   * {@code ahead - 1}.
   *
   * @param u from the exit's own states, {@code [B, T, C]}
   * @param text {@code u_t} of the text, {@code [B, T, C]}
   */
  public Tensor statesAhead(Ops ops, Tensor u, Tensor text, int ahead) {
    DecoderLayer layer = modules.layer();
    return layer.feedForward(ops, layer.attendAhead(ops, u, text, backbone.rope(), ahead));
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

  /** What logits are made of, from states {@code [.., C]}. */
  public HeadInput headInput(Ops ops, Tensor y) {
    return new HeadInput(backbone.finalNorm().apply(ops, y), head.weight());
  }

  /** Logits from states {@code [.., C]}: {@code [.., V]}, or {@code [.., N]} of a draft head. */
  public Tensor logits(Ops ops, Tensor y) {
    return sharding.logits(ops, backbone.finalNorm().apply(ops, y), head);
  }
}

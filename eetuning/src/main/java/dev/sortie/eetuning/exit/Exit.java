package dev.sortie.eetuning.exit;

import dev.sortie.nn.CachedRows;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.Linear;
import dev.sortie.nn.NamedTensors;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/**
 * One exit of a backbone: turns the hidden state at its depth into next-token logits. Definitions
 * in {@link ExitArchitecture}.
 */
public final class Exit {
  private final ExitSpec spec;
  private final Decoder backbone;
  private final Sharding sharding;
  private final SequencedMap<String, Tensor> parameters;
  private final ExitBranch branch;
  private final Optional<DraftVocabulary> draft;
  private final Linear head;
  private final Gates gates;

  /**
   * Builds an exit over the whole vocabulary from its weights.
   *
   * @param weights by names within the exit: {@code mlp.…}, {@code layer.…}, {@code norm.weight},
   *     {@code head.weight}
   */
  public Exit(ExitSpec spec, Decoder backbone, Weights weights) {
    this(spec, backbone, weights, Optional.empty(), null);
  }

  /**
   * Builds the exit from its weights.
   *
   * @param weights as above
   * @param draft the tokens that its head covers, where they are not all
   * @param allocator for the rows of the backbone's head that a draft head without own weights
   *     reads
   */
  public Exit(
      ExitSpec spec,
      Decoder backbone,
      Weights weights,
      Optional<DraftVocabulary> draft,
      Allocator allocator) {
    DecoderConfig c = backbone.share();
    spec.check(c.layers());
    if (spec.draftTokens() != draft.map(DraftVocabulary::size).orElse(0)) {
      throw new IllegalArgumentException(
          "the head covers " + draft + ", the exit was to have " + spec.draftTokens());
    }
    this.spec = spec;
    this.draft = draft;
    this.backbone = backbone;
    this.sharding = Heads.sharding(backbone, draft);
    NamedTensors named = new NamedTensors(weights);
    this.branch = spec.architecture().branch(c, named, backbone.sharding());
    this.head = Heads.of(named, backbone, spec.ownHead(), draft, allocator);
    this.parameters = named.tensors();
    this.gates = Gates.NONE;
  }

  private Exit(Exit e, Linear head, Gates gates) {
    this.spec = e.spec;
    this.backbone = e.backbone;
    this.sharding = e.sharding;
    this.parameters = e.parameters;
    this.branch = e.branch;
    this.draft = e.draft;
    this.head = head;
    this.gates = gates;
  }

  /** Whether it stands after the last layer; see {@link FinalDraft}. */
  public boolean isBehindLastLayer() {
    return spec.depth() == backbone.config().layers();
  }

  private Exit(Decoder backbone, DraftVocabulary draft, Linear rows) {
    int layers = backbone.config().layers();
    this.spec = new ExitSpec(layers, ExitArchitecture.NORM, false, draft.size());
    this.backbone = backbone;
    this.draft = Optional.of(draft);
    this.sharding = Heads.sharding(backbone, this.draft);
    this.parameters = new LinkedHashMap<>();
    this.branch = new NormExit(backbone.finalNorm());
    this.head = rows;
    this.gates = Gates.NONE;
  }

  /**
   * The backbone's final norm and some rows of its head, after its last layer: {@link FinalDraft}.
   */
  static Exit afterLastLayer(Decoder backbone, DraftVocabulary draft, Linear rows) {
    return new Exit(backbone, draft, rows);
  }

  /** As above with the rows of this exit, which has a draft head of the backbone's. */
  Exit afterLastLayer() {
    return new Exit(backbone, draft.orElseThrow(), head);
  }

  /** The same exit with these gates. */
  public Exit with(Gates fitted) {
    return new Exit(this, head, fitted);
  }

  /** The same exit with its draft head, if it has one of the backbone's rows, held otherwise. */
  Exit withDraftHead(UnaryOperator<Linear> hold) {
    return readsTextTokens() ? new Exit(this, hold.apply(head), gates) : this;
  }

  /** What was fitted to it after tuning. */
  public Gates gates() {
    return gates;
  }

  /**
   * Whether its head covers the tokens of a text in addition to the most frequent ones, as {@link
   * TextTokens} has them: a draft head of the backbone's rows does.
   */
  public boolean readsTextTokens() {
    return draft.isPresent() && !spec.ownHead();
  }

  /** The backbone whose rows its head may read. */
  Decoder backbone() {
    return backbone;
  }

  /** The rows that its head always has. */
  Linear head() {
    return head;
  }

  /** The token that index {@code i} of its logits stands for. */
  public int token(int i) {
    return draft.map(d -> d.id(i)).orElse(i);
  }

  /** What it is and where. */
  public ExitSpec spec() {
    return spec;
  }

  /** After how many layers it stands. */
  public int depth() {
    return spec.depth();
  }

  /** The tokens that its head covers, where they are not all. */
  public Optional<DraftVocabulary> draft() {
    return draft;
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
   * Logits of whole sequences, for tuning and scoring.
   *
   * @param x output of layer {@code depth}, {@code [B, T, C]}
   * @param a residual after that layer's attention, {@code [B, T, C]}; of a parallel layer {@code
   *     x}
   * @return {@code [B, T, V]}, or {@code [B, T, N]} of a draft head
   */
  public Tensor logits(Ops ops, Tensor x, Tensor a) {
    return headLogits(ops, headInput(ops, x, a).x());
  }

  /** What {@link #logits} are made of, for losses that take the head themselves. */
  public HeadInput headInput(Ops ops, Tensor x, Tensor a) {
    Tensor z =
        branch.layer().map(l -> l.feedForward(ops, l.attend(ops, x, backbone.rope()))).orElse(x);
    return new HeadInput(headState(ops, z, a), head.weight());
  }

  /** Whether decoding must keep keys and values for this exit, through {@link #advance}. */
  public boolean hasCache() {
    return branch.layer().isPresent();
  }

  /** Whether it reads the residual after its layer's attention; otherwise any tensor does. */
  public boolean readsResidual() {
    return branch.readsResidual();
  }

  /** A cache for {@link #advance}; only where {@link #hasCache}. */
  public KvCache cache(Allocator allocator, DType dtype, int capacity) {
    DecoderConfig c = backbone.share();
    return KvCache.of(allocator, dtype, capacity, c.kvHeads(), c.headSize());
  }

  /**
   * Runs the exit's own layer for the last of the next tokens of a cached sequence: x {@code [1, T,
   * C]} at positions {@code first ..}, to {@code [1, 1, C]}, which goes into {@link #headState}. Of
   * the tokens before it only their keys and values are computed, for nobody asks the exit about
   * them any more: a sixteenth of a layer of SmolLM2-135M.
   */
  public Tensor advance(Ops ops, Tensor x, KvCache cache, int first) {
    if (x.shape().dim(1) == 1) {
      return advanceEach(ops, x, cache, first);
    }
    DecoderLayer l = ownLayer();
    return l.feedForward(ops, l.attendLast(ops, x, backbone.rope(), cache, first));
  }

  /** Runs it for each of the next tokens: x {@code [1, T, C]}, to the same shape. */
  public Tensor advanceEach(Ops ops, Tensor x, KvCache cache, int first) {
    DecoderLayer l = ownLayer();
    return l.feedForward(ops, l.attend(ops, x, backbone.rope(), cache, first));
  }

  /** Runs it over one row of each of several cached sequences: x {@code [1, R, C]}. */
  public Tensor advance(Ops ops, Tensor x, List<CachedRows> sequences) {
    DecoderLayer l = ownLayer();
    return l.feedForward(ops, l.attend(ops, x, backbone.rope(), sequences));
  }

  /**
   * Stores the keys and values of the next tokens of a cached sequence, x {@code [1, T, C]} at
   * positions {@code first ..}, about which the exit is not asked.
   */
  public void fill(Ops ops, Tensor x, KvCache cache, int first) {
    ownLayer().fill(ops, x, backbone.rope(), cache, first);
  }

  /** As above over rows of several cached sequences: x {@code [1, R, C]}. */
  public void fill(Ops ops, Tensor x, List<CachedRows> sequences) {
    ownLayer().fill(ops, x, backbone.rope(), sequences);
  }

  private DecoderLayer ownLayer() {
    return branch
        .layer()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "an exit of architecture "
                        + spec.architecture().word()
                        + " has no layer of its own"));
  }

  /**
   * What the head reads of single tokens while decoding, {@code [.., C]}; gates read it too.
   *
   * @param x output of layer {@code depth}, or of {@link #advance} where there is a cache, {@code
   *     [.., C]}
   * @param a residual after that layer's attention; read only if it {@link #readsResidual}
   */
  public Tensor headState(Ops ops, Tensor x, Tensor a) {
    return branch.apply(ops, x, a, backbone.layers().get(spec.depth() - 1));
  }

  /** Logits from {@link #headState}, {@code [.., V]}, or {@code [.., N]} of a draft head. */
  public Tensor headLogits(Ops ops, Tensor state) {
    return sharding.logits(ops, state, head);
  }
}

package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.edge.EdgeDecoder;
import dev.sortie.eetuning.decode.pipeline.PipelinedDecoder;
import dev.sortie.eetuning.decode.policy.ExitPolicies;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.KernelWarmUp;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.decode.speculative.NgramDraft;
import dev.sortie.eetuning.decode.speculative.PromptLookup;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.explain.TokenExplainer;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntPredicate;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of decoding: depth, sampling and where to stop. */
public final class DecodingMixin {
  static final double THRESHOLD = 0.8;
  private static final int PATIENCE = 2;
  private static final double PROBE_THRESHOLD = 0.5;

  private static final String NONE = "none";

  /** What {@code --draft} may say where exits are taken; nothing: what there is. */
  private static final List<List<String>> WITH_EXITS =
      List.of(
          List.of(),
          List.of(PromptLookup.NAME),
          List.of(PromptLookup.NAME, NgramDraft.NAME),
          List.of(NONE));

  @Mixin private SamplingMixin sampling;

  @Mixin private ExitsMixin exitSource;

  @Mixin private ActiveMixin active;

  @Option(
      names = "--threshold",
      paramLabel = "X",
      description =
          "Exit threshold: a token exits when the confidence reaches it; 1 never "
              + "exits. Or one threshold per exit, by depth, such as 20=0.7,24=0.5. "
              + "Default: 0.8.")
  private String threshold;

  @Mixin private ThresholdsMixin thresholds;

  @Option(
      names = "--exit-policy",
      paramLabel = "WORD",
      description =
          "The confidence that is compared with --threshold: max-probability, "
              + "margin (of the first over the second token), entropy (1 - H / ln N), "
              + "agreement (max-probability, once --patience exits agree) or probe "
              + "(max-probability, where the exit's probe predicts that it is worth "
              + "evaluating). Default: "
              + ExitPolicies.PROBABILITY
              + ".")
  private String exitPolicy;

  @Option(
      names = "--patience",
      paramLabel = "N",
      description =
          "For agreement: number of consecutive exits that must agree. Default: " + PATIENCE + ".")
  private Integer patience;

  @Option(
      names = "--probe-threshold",
      paramLabel = "X",
      description =
          "For probe: minimum predicted probability of agreement at which an exit "
              + "is evaluated. Default: "
              + PROBE_THRESHOLD
              + ".")
  private Double probeThreshold;

  @Option(
      names = "--strategy",
      paramLabel = "WORD",
      description =
          "full, early-exit or speculative. speculative drafts tokens and verifies "
              + "several in one pass; its output is identical to that of full. "
              + "early-exit also drafts tokens where that is faster, which does not "
              + "change its output. Default: early-exit with --exits, else full.")
  private String strategy;

  @Option(
      names = "--draft",
      paramLabel = "WORD",
      split = ",",
      description =
          "Draft sources for --strategy speculative, one or a comma-separated "
              + "list: prompt-lookup (repeats earlier text), ngrams (what usually "
              + "follows one or two tokens, by the table of --exits), early-exit (the "
              + "deepest exit of --exits, while its confidence is at least --threshold, "
              + "0.8), lookahead (the lookahead exit of --exits, while the probability that "
              + "the whole draft is correct is at least --threshold, 0.25). Default: "
              + "prompt-lookup, plus ngrams, and lookahead or early-exit, if --exits has "
              + "them. For --strategy early-exit on one rank: prompt-lookup,ngrams (the "
              + "default if --exits has a table), prompt-lookup, or none.")
  private List<String> draft = new ArrayList<>();

  @Option(
      names = "--max-pending",
      paramLabel = "N",
      description =
          "Maximum number of tokens whose deeper layers are deferred, 0 to "
              + EarlyExit.MAX_PENDING
              + ". Default: "
              + EarlyExit.MAX_PENDING
              + ".")
  private Integer maxPending;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Stop when this text is generated. May be repeated.")
  private List<String> stop = new ArrayList<>();

  @Option(names = "--ignore-eos", description = "Continue past end-of-text tokens.")
  private boolean ignoreEos;

  /** What was given, checked before a model is loaded. */
  public Decoding decoding(int maxTokens) {
    GenerateOptions options = new GenerateOptions(maxTokens, sampling.options(), stop, ignoreEos);
    if (maxPending() < 0 || maxPending() > EarlyExit.MAX_PENDING) {
      throw new UsageException(
          "--max-pending " + maxPending + " is outside 0 to " + EarlyExit.MAX_PENDING);
    }
    exitSource.check();
    String word = strategy == null ? (exitSource.isGiven() ? "early-exit" : "full") : strategy;
    checkStrategy(word);
    boolean early = word.equals("early-exit");
    boolean speculative = word.equals("speculative");
    boolean perExit = threshold != null && threshold.contains("=");
    if (perExit && (!early || active.isGiven() || !isProbability())) {
      throw new UsageException(
          "--threshold %s, one for each exit, needs --exits DIR, --strategy early-exit and --exit-policy %s, and says itself which are active"
              .formatted(threshold, ExitPolicies.PROBABILITY));
    }
    checkExitsAreAsked(word);
    OptionalDouble drafting =
        threshold == null || perExit ? OptionalDouble.empty() : OptionalDouble.of(number());
    Optional<Calibrated> calibrated = calibrated(early);
    if (calibrated.isPresent()) {
      ExitPolicy each = new ExitThresholds(calibrated.get().thresholds());
      return new Decoding(options, each, true, false, draft, drafting);
    }
    ExitPolicy policy =
        perExit
            ? ExitThresholds.of(List.of(threshold.split(",", -1)), "--threshold")
            : ExitPolicies.of(
                Objects.requireNonNullElse(exitPolicy, ExitPolicies.PROBABILITY),
                drafting.orElse(THRESHOLD),
                Objects.requireNonNullElse(patience, PATIENCE),
                Objects.requireNonNullElse(probeThreshold, PROBE_THRESHOLD));
    return new Decoding(options, policy, early, speculative, draft, drafting);
  }

  private int maxPending() {
    return maxPending == null ? EarlyExit.MAX_PENDING : maxPending;
  }

  /** Refuses what says when to exit where no exit is asked. */
  private void checkExitsAreAsked(String word) {
    boolean leaving =
        exitPolicy != null || patience != null || probeThreshold != null || maxPending != null;
    if ((threshold != null || leaving) && !exitSource.isGiven()) {
      throw new UsageException(
          "--threshold, --exit-policy, --patience, --probe-threshold and --max-pending need --exits DIR");
    }
    if (leaving && !word.equals("early-exit")) {
      throw new UsageException(
          "--exit-policy, --patience, --probe-threshold and --max-pending need --strategy early-exit, not "
              + word);
    }
    if (threshold != null && word.equals("full")) {
      throw new UsageException(
          "--threshold needs --strategy early-exit or speculative; full never exits");
    }
    if (patience != null && !ExitPolicies.AGREEMENT.equals(exitPolicy)) {
      throw new UsageException("--patience " + patience + " needs --exit-policy agreement");
    }
    if (probeThreshold != null && !ExitPolicies.PROBE.equals(exitPolicy)) {
      throw new UsageException(
          "--probe-threshold " + probeThreshold + " needs --exit-policy probe");
    }
  }

  private boolean isProbability() {
    return exitPolicy == null || exitPolicy.equals(ExitPolicies.PROBABILITY);
  }

  /** Refuses a strategy with options of another. */
  private void checkStrategy(String word) {
    if (!List.of("full", "early-exit", "speculative").contains(word)) {
      throw new UsageException(
          "--strategy '" + word + "' is unknown; take full, early-exit or speculative");
    }
    boolean early = word.equals("early-exit");
    if (early && !exitSource.isGiven()) {
      throw new UsageException("--strategy early-exit needs --exits DIR");
    }
    if (!draft.isEmpty() && word.equals("full")) {
      throw new UsageException("--draft goes with --strategy speculative or early-exit, not full");
    }
    if (active.isGiven() && !early) {
      throw new UsageException("--active needs --exits DIR and --strategy early-exit");
    }
    if (word.equals("speculative")) {
      DraftSources.check(draft, exitSource.isGiven());
    }
    if (early && !WITH_EXITS.contains(draft)) {
      throw new UsageException(
          "--draft "
              + String.join(",", draft)
              + ": --strategy early-exit accepts prompt-lookup, prompt-lookup,ngrams or none; use"
              + " --strategy speculative for other sources");
    }
  }

  /** The thresholds of a file, which says all that other options would. */
  private Optional<Calibrated> calibrated(boolean early) {
    boolean others = threshold != null || active.isGiven();
    boolean probability = isProbability();
    if (!thresholds.isGiven()) {
      return thresholds.take(early && !others && probability ? exitSource.folder() : null);
    }
    thresholds.refuseNextTo(others);
    if (!early) {
      throw new UsageException("--thresholds needs --exits DIR and --strategy early-exit");
    }
    if (!probability) {
      throw new UsageException(
          "%s are of %s, --exit-policy is %s; leave one out"
              .formatted(thresholds, ExitPolicies.PROBABILITY, exitPolicy));
    }
    return thresholds.take(exitSource.folder());
  }

  private double number() {
    try {
      return Double.parseDouble(threshold);
    } catch (NumberFormatException e) {
      throw new UsageException(
          "--threshold '"
              + threshold
              + "' is neither a number nor thresholds of exits as in 20=0.7,24=0.5",
          e);
    }
  }

  /**
   * Checked options.
   *
   * @param options of generation
   * @param policy when to exit
   * @param early whether to exit at all
   * @param speculative whether decoding is lossless, by drafts that are verified
   * @param drafts who drafts, then or with early exits; empty for whom the exits allow
   * @param threshold confidence below which an exit does not draft; empty for the default
   */
  public record Decoding(
      GenerateOptions options,
      ExitPolicy policy,
      boolean early,
      boolean speculative,
      List<String> drafts,
      OptionalDouble threshold) {
    /** Whether a pass may read several tokens that were drafted. */
    public boolean verifiesDrafts() {
      return speculative || early && !drafts.equals(List.of(NONE));
    }

    boolean readsExits() {
      return early || speculative && !drafts.equals(List.of(PromptLookup.NAME));
    }

    /** How several ranks decode: passes must be the same on all, whatever times each measures. */
    public Decoding together() {
      if (speculative || asksForDrafts()) {
        throw new UsageException(
            "--%s is for one rank: the length of drafts follows from times that each rank measures for itself; take --strategy full, or early-exit without --draft, or leave out --tp and --pp"
                .formatted(asked()));
      }
      return new Decoding(options, policy, early, false, List.of(NONE), threshold);
    }

    /** How one token is read at a time, without drafts; at full depth no exit is taken. */
    public Decoding alone() {
      if (speculative || asksForDrafts()) {
        throw new UsageException(
            "--%s: one token at a time is read here, without drafts; take --strategy full or early-exit and leave out --draft"
                .formatted(asked()));
      }
      ExitPolicy taking = early ? policy : new MaxProbability(1);
      return new Decoding(options, taking, early, false, List.of(NONE), threshold);
    }

    private boolean asksForDrafts() {
      return !drafts.isEmpty() && !drafts.equals(List.of(NONE));
    }

    private String asked() {
      return speculative ? "strategy speculative" : "draft " + String.join(",", drafts);
    }

    private Strategy with(Exits exits, int maxPending) {
      if (speculative) {
        return new Strategy.Speculation(exits, drafts, threshold);
      }
      return early
          ? new Strategy.AtExits(exits, policy, maxPending, verifiesDrafts())
          : Strategy.FULL;
    }
  }

  /** The exits to ask, if any, with their kernels compiled. */
  public Exits exits(Decoding d, LanguageModel m, NativeArena arena, Device device) {
    if (!exitSource.isGiven() || !d.readsExits()) {
      return Exits.none();
    }
    Exits exits = drafting(d, askedExits(d, m, arena, device));
    KernelWarmUp.heads(exits, d.early() && d.verifiesDrafts(), device);
    return exits;
  }

  /** Exits with n-grams only where {@code --draft} lets them draft. */
  private static Exits drafting(Decoding d, Exits exits) {
    if (d.early() && d.drafts().contains(NgramDraft.NAME)) {
      DraftSources.requireNgrams(exits);
    }
    return d.early() && d.drafts().equals(List.of(PromptLookup.NAME))
        ? exits.withoutNgrams()
        : exits;
  }

  private Exits askedExits(Decoding d, LanguageModel m, NativeArena arena, Device device) {
    if (d.policy() instanceof ExitThresholds each) {
      Exits asked = exitSource.read(each.asked(), m, arena, device);
      thresholds.check(exitSource.folder(), m);
      return asked;
    }
    Exits all = stored(d, m, arena, device);
    return d.early() && !d.policy().never() ? active.choose(all, m, maxPending(), device) : all;
  }

  private Exits stored(Decoding d, LanguageModel m, NativeArena arena, Device device) {
    Exits stored = exitSource.read(m, arena, device);
    thresholds.check(exitSource.folder(), m);
    return d.early() ? Strategy.withFinalDraft(stored, d.policy()) : stored;
  }

  /** All exits, or those that {@code --active} names: nothing is measured to choose them. */
  public Exits allExits(Decoding d, LanguageModel m, NativeArena arena, Device device) {
    if (!exitSource.isGiven()) {
      return Exits.none();
    }
    Exits all = stored(d, m, arena, device);
    return active.isGiven() ? active.choose(all, m, maxPending(), device) : all;
  }

  /** Explains texts that are decoded so. */
  public TokenExplainer explainer(Decoding d, LanguageModel m, Exits exits) {
    return new TokenExplainer(m, exits, d.policy(), maxPending(), m.config().eos());
  }

  /**
   * What exits are asked on ranks that must agree, without their weights: all but those that the
   * user or a calibration leaves out.
   */
  public List<ExitOutline> outlines(Decoding d, DecoderConfig config) {
    if (!d.early() || d.policy().never()) {
      return List.of();
    }
    List<ExitOutline> all = ExitsFile.outlines(exitSource.folder(), config);
    if (!(d.policy() instanceof ExitThresholds each)) {
      return active.choose(all);
    }
    List<Integer> depths = each.asked();
    return all.stream().filter(e -> !e.isLookahead() && depths.contains(e.depth())).toList();
  }

  /**
   * Some exits, the only ones whose weights are read.
   *
   * @param depths whether an exit is wanted, by its depth
   */
  public Exits exits(
      Decoding d, LanguageModel m, IntPredicate depths, NativeArena arena, Device device) {
    if (!d.early()) {
      return Exits.none();
    }
    if (exitSource.acceptsBackbone()) {
      throw new UsageException(
          "--accept-backbone measures the exits on the whole model, of which each rank holds a part; leave it out, or decode on one rank");
    }
    Exits exits = ExitsReader.of(m).at(depths).read(exitSource.folder(), arena, device.kernels());
    thresholds.check(exitSource.folder(), m);
    return exits;
  }

  /**
   * The exits of an edge: those that may be asked, and the one after its last layer, which answers
   * where the cloud does not.
   *
   * @param layers of the edge
   */
  public List<ExitOutline> edgeExits(Decoding d, DecoderConfig config, int layers) {
    if (!d.early()) {
      throw new UsageException(
          "--edge " + layers + " needs --exits DIR, and no --strategy but early-exit");
    }
    List<ExitOutline> all =
        ExitsFile.outlines(exitSource.folder(), config).stream()
            .filter(e -> !e.isLookahead())
            .toList();
    List<Integer> depths = all.stream().map(ExitOutline::depth).toList();
    if (!depths.contains(layers)) {
      throw new InputException(
          "--edge %d: %s has no exit after layer %d, but after %s; take one of these"
              .formatted(layers, exitSource.folder(), layers, depths));
    }
    List<Integer> asked = outlines(d, config).stream().map(ExitOutline::depth).toList();
    return all.stream()
        .filter(e -> e.depth() == layers || e.depth() < layers && asked.contains(e.depth()))
        .toList();
  }

  /** How an edge decodes. */
  public EdgeDecoder.Settings settings(Decoding d, EdgeMixin edge, LinkKeys keys) {
    return new EdgeDecoder.Settings(
        edge.host(),
        edge.port(),
        keys,
        d.policy(),
        maxPending(),
        d.options(),
        edge.type(),
        edge.timeout());
  }

  /** How ranks of a pipeline decode. */
  public PipelinedDecoder.Settings settings(Decoding d, int texts, int traced) {
    return new PipelinedDecoder.Settings(d.policy(), maxPending(), d.options(), texts, traced);
  }

  /** A new sequence, to be closed. */
  public DecodingStrategy strategy(
      Decoding d, LanguageModel m, Exits exits, int capacity, Device device) {
    return d.with(exits, maxPending()).begin(m.decoder(), capacity, device);
  }
}

package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gates;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;

/**
 * Stage 2 of EE-Tuning (arXiv 2402.00518): the backbone runs forward without gradients, no deeper
 * than needed, and each exit is trained as an independent problem on the hidden states at its
 * depth, with its own gradients, clipping and optimiser. So exits tuned together equal exits tuned
 * one by one.
 */
public final class ExitTuner implements TrainingJob, AutoCloseable {
  private static final String LOOKAHEAD = "lookahead";

  private final LanguageModel model;
  private final TuneOptions options;
  private final TokenSource data;
  private final Device device;
  private final Team team;
  private final Backbone backbone;
  private final NativeArena arena = new NativeArena("tuner");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final Exits exits;
  private final String startSha256;
  private final List<Trainee> trainees = new ArrayList<>();
  private final List<Group> groups;
  private final Optional<LookaheadLoss> ahead;
  private final GradientSum gradients;

  /**
   * An exit under training.
   *
   * @param exit empty for the lookahead exit
   */
  private record Trainee(
      int depth,
      Optional<Exit> exit,
      SequencedMap<String, Tensor> parameters,
      double weight,
      AdamW optimizer) {
    String name() {
      return String.valueOf(depth);
    }

    Collection<Tensor> tensors() {
      return parameters.values();
    }
  }

  /** Exits whose heads cover the same tokens; they share a teacher. */
  private record Group(List<Trainee> trainees, Tensor teacherHead) {}

  /**
   * A tuner.
   *
   * @param start exits to begin with, not changed. Where they were not tuned before, the tokens of
   *     draft heads are chosen by their counts in {@code data}
   */
  public ExitTuner(
      LanguageModel model, Exits start, TuneOptions options, TokenSource data, Device device) {
    this(model, start, options, data, device, Team.alone());
  }

  /**
   * A tuner as one of several ranks: each computes some micro-batches of every step. A collective
   * call, as are {@link #step} and {@link #validate}.
   *
   * @param team stays open
   */
  public ExitTuner(
      LanguageModel model,
      Exits start,
      TuneOptions options,
      TokenSource data,
      Device device,
      Team team) {
    this(model, start, options, data, device, team, Backbone.of(model.decoder()));
  }

  /** A tuner that asks the backbone only for hidden states that {@code cache} does not have. */
  public ExitTuner(
      LanguageModel model,
      Exits start,
      TuneOptions options,
      TokenSource data,
      Device device,
      FeatureCache cache) {
    this(model, start, options, data, device, Team.alone(), cache.backbone());
  }

  private ExitTuner(
      LanguageModel model,
      Exits start,
      TuneOptions options,
      TokenSource data,
      Device device,
      Team team,
      Backbone backbone) {
    this.model = model;
    this.team = team;
    this.options = options;
    this.data = data;
    this.device = device;
    this.backbone = backbone;
    this.ops = new Ops(device, workspace);
    check(model, start, options, data.length());
    options.checkReplicas(team.mesh().dp());
    this.exits = new Trainable(model.decoder(), data, arena, device.kernels()).of(start);
    for (Exit e : exits.exits()) {
      trainees.add(trainee(e.depth(), Optional.of(e), e.parameters()));
    }
    this.groups = groups();
    int layers = model.config().decoder().layers();
    this.ahead =
        exits
            .lookahead()
            .map(
                l ->
                    new LookaheadLoss(
                        l,
                        model.decoder().finalNorm(),
                        teacherHead(l.draft()),
                        options,
                        options.lookahead()));
    exits
        .lookahead()
        .ifPresent(l -> trainees.add(trainee(layers, Optional.empty(), l.parameters())));
    this.gradients =
        new GradientSum(
            team, arena, device.kernels(), trainees.stream().map(Trainee::tensors).toList());
    this.startSha256 = hash(start);
  }

  private Trainee trainee(int depth, Optional<Exit> exit, SequencedMap<String, Tensor> parameters) {
    AdamW optimizer = new AdamW(options.adamW(), arena, device.kernels(), parameters);
    double weight = options.exitWeights().getOrDefault(depth, 1.0);
    return new Trainee(depth, exit, parameters, weight, optimizer);
  }

  private List<Group> groups() {
    Map<Optional<DraftVocabulary>, List<Trainee>> byHead = new LinkedHashMap<>();
    for (Trainee t : trainees) {
      byHead.computeIfAbsent(t.exit.flatMap(Exit::draft), d -> new ArrayList<>()).add(t);
    }
    List<Group> list = new ArrayList<>();
    byHead.forEach((draft, members) -> list.add(new Group(members, teacherHead(draft))));
    return List.copyOf(list);
  }

  /** The backbone's head over the tokens of a draft head, or all of it. */
  private Tensor teacherHead(Optional<DraftVocabulary> draft) {
    Tensor whole = model.decoder().head().weight();
    return draft.map(d -> d.rows(whole, arena)).orElse(whole);
  }

  /**
   * Refuses exits and options that cannot be tuned together, before any file is written.
   *
   * @param length tokens in a sequence
   */
  public static void check(LanguageModel model, Exits start, TuneOptions options, int length) {
    int context = model.config().decoder().context();
    if (length > context) {
      throw new InputException(
          "--seq-len " + length + " is more than the model's context of " + context);
    }
    for (Exit e : start.exits()) {
      if (e.parameters().isEmpty()) {
        throw new InputException(
            "the exit at depth "
                + e.depth()
                + " ("
                + e.spec().architecture().word()
                + " with the backbone's head) has nothing to tune; add it with --head own");
      }
    }
    for (int depth : options.exitWeights().keySet()) {
      List<Integer> depths = new ArrayList<>(start.depths());
      start.lookahead().ifPresent(l -> depths.add(model.config().decoder().layers()));
      if (!depths.contains(depth)) {
        throw new InputException(
            "--exit-weight names depth " + depth + ", but the exits stand at " + depths);
      }
    }
  }

  /** Of all tensors: a run is resumed only from the same start. */
  private static String hash(Exits start) {
    Sha256 sha = new Sha256();
    for (Exit e : start.exits()) {
      e.parameters().values().forEach(t -> sha.update(t.span()));
    }
    start.lookahead().ifPresent(l -> l.parameters().values().forEach(t -> sha.update(t.span())));
    return sha.hex();
  }

  /**
   * The exits in their present state with gates fitted to them: see {@link Gates}.
   *
   * @param tokens of training text to fit to, about
   */
  public Exits gated(Map<String, Object> tuning, int tokens) {
    return new GateFitter(model.decoder(), data, backbone, device)
        .fit(exits(tuning), tokens, arena);
  }

  /** The exits in their present state, with what they are tuned with. */
  public Exits exits(Map<String, Object> tuning) {
    return new Exits(exits.backboneSha256(), tuning, exits.exits(), exits.lookahead());
  }

  /**
   * What decides the result, for the exits file: the options, and which share of the data's tokens
   * each draft head covers.
   */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    exits
        .lookahead()
        .ifPresent(
            l -> {
              m.put("lookahead_unroll", options.lookahead().unroll());
              m.put("lookahead_hidden_weight", options.lookahead().hiddenWeight());
            });
    Map<String, Object> coverage = new LinkedHashMap<>();
    long[] counts = data.counts(model.config().decoder().vocab());
    for (Trainee t : trainees) {
      draft(t).ifPresent(d -> coverage.put(t.name(), d.coverage(counts)));
    }
    if (!coverage.isEmpty()) {
      m.put("draft_coverage", coverage);
    }
    return m;
  }

  private Optional<DraftVocabulary> draft(Trainee t) {
    return t.exit.isPresent()
        ? t.exit.flatMap(Exit::draft)
        : exits.lookahead().flatMap(Lookahead::draft);
  }

  /** The most bytes of temporaries in use at one time until now. */
  public long workspaceBytes() {
    return workspace.peak();
  }

  @Override
  public Map<String, Object> fingerprint() {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    if (options.microBatches() > 1) {
      m.put("gradient_sum", "ascending micro-batches"); // earlier versions summed in another order
    }
    m.put("seq_len", data.length());
    m.put("data", data.fingerprint());
    m.put("backbone", model.sha256());
    List<String> words = new ArrayList<>();
    exits.exits().forEach(e -> words.add(e.depth() + " " + e.spec().architecture().word()));
    if (exits.lookahead().isPresent()) {
      words.add(LOOKAHEAD + " " + options.lookahead());
    }
    m.put("exits", words);
    m.put("exits_start", startSha256);
    return m;
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    for (Trainee t : trainees) {
      t.parameters.forEach((name, p) -> all.put("exits." + t.name() + "." + name, p));
      t.optimizer
          .state()
          .forEach((name, s) -> all.put("exits." + t.name() + ".optimizer." + name, s));
    }
    return all;
  }

  @Override
  public List<String> lossNames() {
    return trainees.stream().map(Trainee::name).toList();
  }

  @Override
  public long tokensPerStep() {
    return (long) options.globalBatch() * data.length();
  }

  @Override
  public Map<String, Double> step(int step) {
    int replicas = team.mesh().dp();
    LossTable losses = new LossTable(lossNames(), options.microBatches());
    for (int round = 0; round < options.microBatches() / replicas; round++) {
      int r = round;
      int number = round * replicas + team.place().dp();
      long first = (long) step * options.globalBatch() + (long) number * options.microBatch();
      eachLoss(
          Microbatch.training(data, first, options.microBatch()),
          options.globalBatch(),
          (group, loss, objective) -> {
            gradients.add(r, objective, parameters(group), workspace);
            note(losses, number, group, loss);
          });
    }
    double rate = options.schedule().at(step);
    for (Trainee t : trainees) {
      t.optimizer.step(device.kernels(), gradients.whole(t.tensors()), step + 1, rate);
    }
    return losses.sums(team);
  }

  private static List<Tensor> parameters(List<Trainee> group) {
    return group.stream().flatMap(t -> t.tensors().stream()).toList();
  }

  /** The weights scale the gradients, not the losses that are reported. */
  private Tensor weighted(List<Trainee> group, Tensor losses) {
    Tensor weights = ops.empty(losses.dtype(), losses.shape());
    for (int i = 0; i < group.size(); i++) {
      weights.span().set(i, group.get(i).weight);
    }
    return ops.sum(ops.mul(losses, weights));
  }

  private static void note(LossTable table, int number, List<Trainee> group, Tensor losses) {
    for (int i = 0; i < group.size(); i++) {
      table.put(number, group.get(i).name(), losses.span().get(i));
    }
  }

  @Override
  public Map<String, Double> validate() {
    int count = data.validationCount();
    int batches = Math.ceilDiv(count, options.microBatch());
    LossTable losses = new LossTable(lossNames(), batches);
    for (int i = team.place().dp(); i < batches; i += team.mesh().dp()) {
      int number = i;
      Microbatch windows = Microbatch.heldOut(data, i * options.microBatch(), options.microBatch());
      NoGrad.run(
          () -> eachLoss(windows, count, (group, loss, _) -> note(losses, number, group, loss)));
    }
    return losses.sums(team);
  }

  private interface LossUser {
    /** Takes the losses of some exits, one number each, and what is minimised for them. */
    void accept(List<Trainee> group, Tensor losses, Tensor objective);
  }

  /**
   * Gets the backbone's states once, then the exits' losses, which {@code user} gets. Cross-entropy
   * goes exit by exit, and temporaries are given back after each; divergences of all exits whose
   * heads cover the same tokens are computed together, for they share the teacher's logits.
   *
   * @param of how many windows the losses are a mean over
   */
  private void eachLoss(Microbatch batch, int of, LossUser user) {
    try (var _ = workspace.mark()) {
      Batch tensors = Batch.of(workspace, batch.windows());
      Map<Integer, HiddenStates> states =
          NoGrad.call(
              () -> backbone.states(ops, tensors.inputs(), batch.numbers(), wantedDepths()));
      double count = (double) of * data.length();
      for (Group g : groups) {
        if (options.objective() == Objective.KL) {
          try (var _ = workspace.mark()) {
            divergences(g, tensors, states, count, user);
          }
        } else {
          for (Trainee t : g.trainees) {
            try (var _ = workspace.mark()) {
              crossEntropy(t, tensors, states, count, user);
            }
          }
        }
      }
      ahead.ifPresent(
          loss -> {
            Trainee t = trainees.getLast();
            double share = (double) batch.windows().length / of;
            LookaheadLoss.Value v = loss.of(ops, batch.windows(), states.get(t.depth).x(), share);
            user.accept(List.of(t), v.reported(), ops.scale(v.objective(), t.weight));
          });
    }
  }

  private void divergences(
      Group g, Batch batch, Map<Integer, HiddenStates> states, double count, LossUser user) {
    int layers = model.config().decoder().layers();
    HeadInput teacher =
        NoGrad.call(
            () ->
                new HeadInput(
                    model.decoder().finalNorm().apply(ops, states.get(layers).x()), g.teacherHead));
    List<HeadInput> students = g.trainees.stream().map(t -> branch(t, states)).toList();
    boolean confident = options.confidenceWeights();
    Tensor losses = TokenLoss.kl(ops, students, teacher, batch.targets(), confident, count);
    user.accept(g.trainees, losses, weighted(g.trainees, losses));
  }

  private void crossEntropy(
      Trainee t, Batch batch, Map<Integer, HiddenStates> states, double count, LossUser user) {
    Tensor targets =
        t.exit
            .flatMap(Exit::draft)
            .map(d -> d.indices(batch.targets(), workspace))
            .orElse(batch.targets());
    boolean confident = options.confidenceWeights();
    Tensor loss = TokenLoss.crossEntropy(ops, branch(t, states), targets, confident, count);
    user.accept(List.of(t), loss, weighted(List.of(t), loss));
  }

  private HeadInput branch(Trainee t, Map<Integer, HiddenStates> states) {
    HiddenStates in = states.get(t.depth);
    return t.exit.orElseThrow().headInput(ops, in.x(), in.a());
  }

  /** Where hidden states are wanted: at the exits, and at the end for a teacher or a lookahead. */
  private Set<Integer> wantedDepths() {
    Set<Integer> depths = new TreeSet<>();
    trainees.forEach(t -> depths.add(t.depth));
    if (options.objective() == Objective.KL) {
      depths.add(model.config().decoder().layers());
    }
    return depths;
  }

  @Override
  public void close() {
    workspace.close();
    arena.close();
  }
}

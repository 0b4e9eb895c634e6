package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gates;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.checkpoint.Fingerprint;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.rank.LossTable;
import dev.sortie.eetuning.train.rank.MicrobatchAssignment;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelMemory;
import dev.sortie.nn.load.Precision;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.shard.ShardGradients;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * Stage 2 of EE-Tuning (arXiv 2402.00518): the backbone runs forward without gradients, no deeper
 * than needed, and each exit is trained as an independent problem on the hidden states at its
 * depth, with its own gradients, clipping and optimiser. So exits tuned together equal exits tuned
 * one by one.
 */
public final class ExitTuner implements TrainingJob, AutoCloseable {
  private final LanguageModel model;
  private final TuneOptions options;
  private final TokenSource data;
  private final Device device;
  private final ProcessGroups groups;
  private final MicrobatchAssignment assignment;
  private final Consumer<Timed> trace;
  private final StagePlan plan;
  private final FeatureSource backbone;
  private final NativeArena arena = new NativeArena("tuner");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final Exits exits;
  private final long exitBytes;
  private final long stateBytes;
  private final List<String> names;
  private final InitialExits start;
  private final List<TrainableExit> trainees = new ArrayList<>();
  private final ExitLosses losses;
  private final GradientAccumulator gradients;
  private final BackbonePasses passes;
  private final SequencedMap<String, Double> norms = new LinkedHashMap<>();

  /**
   * A tuner.
   *
   * @param start exits to begin with, not changed. Where they were not tuned before, the tokens of
   *     draft heads are chosen by their counts in {@code data}
   */
  public ExitTuner(
      LanguageModel model, Exits start, TuneOptions options, TokenSource data, Device device) {
    this(model, start, options, data, device, TunePlacement.on(ProcessGroups.single()));
  }

  /**
   * A tuner as one of several ranks: each computes some micro-batches of every step, or some layers
   * and exits for them; see {@link StagePlan}. A collective call, as are {@link #step} and {@link
   * #validate}.
   */
  public ExitTuner(
      LanguageModel model,
      Exits start,
      TuneOptions options,
      TokenSource data,
      Device device,
      TunePlacement placement) {
    this.model = model;
    this.groups = placement.groups();
    this.assignment = MicrobatchAssignment.of(groups);
    this.trace = placement.trace();
    this.options = options;
    this.data = data;
    this.device = device;
    this.backbone =
        placement
            .cache()
            .map(FeatureCache::backbone)
            .orElseGet(() -> FeatureSource.of(model.decoder()));
    this.ops = new Ops(device, workspace);
    options.check(model.config().decoder(), start, data.length());
    // before the optimiser takes its memory: what this puts together is large
    this.start = InitialExits.of(start, options);
    options.checkReplicas(groups.mesh().dp());
    int layers = model.config().decoder().layers();
    this.plan =
        placement
            .plan()
            .orElseGet(() -> StagePlan.counted(model, start, options, data.length(), groups));
    Stage stage = plan.stage(groups.coordinates().pp());
    this.exits =
        new TrainableCopies(model.decoder(), data, arena, device.kernels())
            .of(held(start, stage, layers));
    this.exitBytes = arena.bytes();
    this.names = names(start, layers);
    for (Exit e : exits.exits()) {
      add(e.depth(), Optional.of(e), e.parameters(), e.sharding());
    }
    exits.lookahead().ifPresent(l -> add(layers, Optional.empty(), l.parameters(), l.sharding()));
    this.losses = new ExitLosses(model.decoder(), options, ops, arena, trainees, exits.lookahead());
    this.gradients =
        new GradientAccumulator(
            groups,
            arena,
            device.kernels(),
            trainees.stream().map(TrainableExit::tensors).toList());
    this.stateBytes = arena.bytes() - exitBytes;
    this.passes = passes(stage);
  }

  private static Exits held(Exits start, Stage stage, int layers) {
    return new Exits(
        start.backboneSha256(),
        List.of(),
        start.tuning(),
        start.exits().stream().filter(e -> stage.holds(e.depth())).toList(),
        start.lookahead().filter(l -> stage.holds(layers)),
        start.ngrams());
  }

  private static List<String> names(Exits start, int layers) {
    return ExitOutline.of(start, layers).stream().map(e -> String.valueOf(e.depth())).toList();
  }

  private void add(
      int depth, Optional<Exit> exit, SequencedMap<String, Tensor> parameters, Sharding sharding) {
    trainees.add(
        TrainableExit.of(
            depth, exit, parameters, sharding, options, groups, arena, device.kernels()));
    norms.put(trainees.getLast().name(), 0.0);
  }

  private BackbonePasses passes(Stage stage) {
    LongFunction<Microbatch> stream =
        i ->
            Microbatch.training(
                data, assignment.number(i) * options.microBatch(), options.microBatch());
    if (stage.count() == 1) {
      return new BackbonePasses.Whole(ops, workspace, backbone, wantedDepths(), stream);
    }
    return new PipelinedPasses(
        groups,
        stage,
        model.decoder(),
        device,
        plan.depths(stage.index()),
        plan.teachers(),
        stream,
        (long) options.schedule().steps() * rounds(),
        trace);
  }

  /** Micro-batches of a step that each replica computes. */
  private int rounds() {
    return assignment.count(options.microBatches());
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
    awaitUpdates();
    return exits.with(tuning);
  }

  /**
   * What decides the result, for the exits file: the options, and which share of the data's tokens
   * each draft head covers.
   */
  public Map<String, Object> describe() {
    return TuningMetadata.of(options, exits, data, model.config().decoder());
  }

  /** The most bytes of temporaries in use at one time until now. */
  public long workspaceBytes() {
    return workspace.peak() + passes.workspaceBytes();
  }

  /**
   * What this rank holds, and the most that it has needed until now.
   *
   * @param weights bytes of the backbone's
   * @param copies whether checkpoints are written from copies
   */
  RankMemory memory(ModelMemory weights, boolean copies) {
    long shared = gradients.sharedBytes();
    return new RankMemory(
        weights.resident(),
        weights.inPlace(),
        exitBytes,
        stateBytes + shared,
        workspaceBytes(),
        (groups.mesh().dp() - 1) * shared + (copies ? ShardedTensor.bytes(parts()) : 0),
        DryRun.JVM);
  }

  @Override
  public Map<String, Object> fingerprint() {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    if (options.microBatches() > 1) {
      m.put("gradient_sum", "ascending micro-batches"); // earlier versions summed in another order
    }
    Fingerprint.addData(m, data);
    m.put("backbone", model.sha256());
    if (model.precision() == Precision.BF16) {
      m.put("weights", "bf16"); // rounded; in F32 and as the file has them they are the same
    }
    start.addTo(m);
    Fingerprint.addShares(m, model.decoder().sharding());
    return m;
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    awaitUpdates();
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    trainees.forEach(t -> all.putAll(t.state()));
    return all;
  }

  @Override
  public SequencedMap<String, ShardedTensor> parts() {
    awaitUpdates();
    SequencedMap<String, ShardedTensor> all = new LinkedHashMap<>();
    trainees.forEach(t -> all.putAll(t.parts()));
    return all;
  }

  @Override
  public SequencedMap<String, ShardedTensor> trained() {
    awaitUpdates();
    SequencedMap<String, ShardedTensor> all = new LinkedHashMap<>();
    trainees.forEach(t -> all.putAll(t.trained()));
    return all;
  }

  @Override
  public Map<String, Double> gradientNorms() {
    return norms;
  }

  @Override
  public List<String> lossNames() {
    return names;
  }

  @Override
  public long tokensPerStep() {
    return (long) options.globalBatch() * data.length();
  }

  @Override
  public Supplier<Map<String, Double>> begin(int step) {
    LossTable table = new LossTable(names, options.microBatches());
    long begin = (long) step * rounds();
    passes.training(
        begin,
        rounds(),
        (i, batch, tensors, states) ->
            losses(
                batch,
                tensors,
                states,
                options.globalBatch(),
                (group, loss, objective) -> {
                  gradients.add((int) (i - begin), objective, parameters(group), workspace);
                  note(table, (int) assignment.number(i - begin), group, loss);
                }));
    double rate = options.schedule().at(step);
    for (TrainableExit t : trainees) {
      norms.put(t.name(), t.update(ops, gradients.whole(t.tensors()), step + 1, rate));
    }
    return table.sums(groups);
  }

  /**
   * Ends when the exits have the rows that other replicas updated. These arrive while what needs no
   * exit runs: the backbone's pass over the next micro-batch.
   */
  private void awaitUpdates() {
    trainees.forEach(TrainableExit::awaitUpdate);
  }

  /** The losses on one micro-batch, by updated exits; see {@link ExitLosses#each}. */
  private void losses(
      Microbatch batch,
      Batch tensors,
      Map<Integer, HiddenState> states,
      int of,
      ExitLosses.User user) {
    awaitUpdates();
    losses.each(batch, tensors, states, of, user);
  }

  private static List<Tensor> parameters(List<TrainableExit> group) {
    return group.stream().flatMap(t -> t.tensors().stream()).toList();
  }

  private static void note(LossTable table, int number, List<TrainableExit> group, Tensor losses) {
    for (int i = 0; i < group.size(); i++) {
      table.put(number, group.get(i).name(), losses.span().get(i));
    }
  }

  @Override
  public Map<String, Double> validate() {
    int windows = data.validationCount();
    int micro = options.microBatch();
    int batches = Math.ceilDiv(windows, micro);
    LossTable table = new LossTable(names, batches);
    NoGrad.run(
        () ->
            passes.heldOut(
                i -> Microbatch.heldOut(data, (int) assignment.number(i) * micro, micro),
                assignment.count(batches),
                (i, batch, tensors, states) ->
                    losses(
                        batch,
                        tensors,
                        states,
                        windows,
                        (group, loss, _) -> note(table, (int) assignment.number(i), group, loss))));
    return table.sums(groups).get();
  }

  /**
   * Where hidden states are wanted: at the exits, where a lookahead exit reads them, and at the end
   * for a teacher or a lookahead.
   */
  private Set<Integer> wantedDepths() {
    Set<Integer> depths = new TreeSet<>();
    trainees.forEach(t -> depths.add(t.depth()));
    exits.lookahead().ifPresent(l -> depths.addAll(l.features()));
    if (options.objective() == Objective.KL) {
      depths.add(model.config().decoder().layers());
    }
    return depths;
  }

  @Override
  public void close() {
    trainees.forEach(TrainableExit::settle);
    trainees.forEach(t -> t.shares().ifPresent(ShardGradients::close));
    passes.close();
    workspace.close();
    arena.close();
  }
}

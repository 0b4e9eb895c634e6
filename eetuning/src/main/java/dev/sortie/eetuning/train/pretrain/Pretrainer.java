package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.LossWeights;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.checkpoint.CheckpointNames;
import dev.sortie.eetuning.train.checkpoint.Fingerprint;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.rank.GlobalNorm;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.rank.LossTable;
import dev.sortie.eetuning.train.rank.MicrobatchAssignment;
import dev.sortie.eetuning.train.rank.OptimizerPartition;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.Dropout;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LayerCycle;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.parallel.shard.ShardGradients;
import dev.sortie.parallel.shard.TensorParallel;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Trains a new decoder, or one that is trained already, on next-token cross-entropy, also together
 * with exits, alone or as one of several ranks: replicas that share out the micro-batches of a
 * step, and stages that each have some layers. The result has the same bits for every number of
 * replicas and stages and every schedule. Ranks that share weights add in another order, and give
 * their own bits.
 */
public final class Pretrainer implements TrainingJob, AutoCloseable {
  private static final String FINAL = "final";
  private static final String ALL = "all";

  private final DecoderConfig config;
  private final PretrainOptions options;
  private final TokenSource data;
  private final Device device;
  private final ProcessGroups groups;
  private final MicrobatchAssignment assignment;
  private final PretrainLayout layout;
  private final Chain chain;
  private final Consumer<Timed> trace;
  private final NativeArena arena;
  private final Workspace workspace = new Workspace();
  private final PretrainModel model;
  private final long modelBytes;
  private final long exitBytes;
  private final long stateBytes;
  private final SharedHead head;
  private final List<ModelChunk> chunks;
  private final GradientAccumulator gradients;
  private final SequencedMap<String, Tensor> own;
  private final GlobalNorm norm;
  private final Optional<OptimizerPartition> replicas;
  private final AdamW optimizer;
  private final Optional<ShardGradients> shares;
  private final ChunkPasses passes;
  private double lastNorm;

  /** A trainer of one whole model. */
  public Pretrainer(
      DecoderConfig config, PretrainOptions options, TokenSource data, Device device) {
    this(
        config,
        options,
        data,
        device,
        PretrainPlacement.on(ProcessGroups.single(), false, PretrainLayout.USUAL));
  }

  /**
   * A trainer as one of several ranks, which may have a shard of the model, whose numbers are those
   * that a whole model has there. All ranks see the same data and make the same calls. A collective
   * call, as are {@link #step} and {@link #validate}.
   */
  public Pretrainer(
      DecoderConfig config,
      PretrainOptions options,
      TokenSource data,
      Device device,
      PretrainPlacement placement) {
    this(config, options, data, device, placement, false);
  }

  /** A trainer of a model that is reserved and not written, on a device that computes nothing. */
  static Pretrainer dry(
      DecoderConfig config,
      PretrainOptions options,
      TokenSource data,
      Device device,
      PretrainPlacement placement) {
    return new Pretrainer(config, options, data, device, placement, true);
  }

  private Pretrainer(
      DecoderConfig config,
      PretrainOptions options,
      TokenSource data,
      Device device,
      PretrainPlacement placement,
      boolean dry) {
    Optional<ShardBuilder> shards = placement.shards();
    check(config, options, data.length(), shards);
    this.config = config;
    this.options = options;
    this.data = data;
    this.device = device;
    this.groups = placement.groups();
    this.assignment = MicrobatchAssignment.of(groups);
    this.layout = placement.layout();
    layout.check(options, groups.mesh()); // says more than a plan that cannot be made
    PretrainPlan plan = placement.plan(config, options, data.length());
    this.chain = placement.chain();
    this.trace = placement.trace();
    DecoderBuilder builder = shards.isPresent() ? shards.get() : DecoderBuilder.WHOLE;
    Kernels kernels = device.kernels();
    this.arena = dry ? NativeArena.reserving("pretrainer") : new NativeArena("pretrainer");
    Predicate<String> held = name -> holds(plan, name);
    this.model =
        dry
            ? PretrainModel.reserved(config, options, builder, held, arena)
            : PretrainModel.begun(config, options, builder, held, arena, kernels);
    this.modelBytes = arena.bytes();
    this.exitBytes = exitBytes(held);
    this.head = new SharedHead(groups, model, plan, chain);
    this.chunks = chunks(plan, options.dropping());
    this.gradients =
        new GradientAccumulator(
            groups, arena, kernels, chunks.stream().flatMap(p -> p.groups().stream()).toList());
    this.own = own(plan);
    Sharding sharding = model.decoder().sharding();
    this.norm =
        new GlobalNorm(
            groups,
            List.copyOf(model.parameters().sequencedKeySet()),
            ShardedTensor.of(own, sharding));
    this.replicas = OptimizerPartition.of(groups, own, sharding);
    this.optimizer =
        new AdamW(
            options.adamW(), arena, kernels, replicas.map(OptimizerPartition::mine).orElse(own));
    this.shares =
        sharding instanceof TensorParallel tp
            ? Optional.of(new ShardGradients(tp, own))
            : Optional.empty();
    long message = chunks.getFirst().message(options.microBatch(), data.length()).count();
    this.stateBytes = arena.bytes() - modelBytes;
    this.passes = new ChunkPasses(groups, chain, chunks, device, arena, message);
  }

  private List<ModelChunk> chunks(PretrainPlan plan, Dropout dropout) {
    return IntStream.range(0, chain.chunks())
        .mapToObj(c -> new ModelChunk(model, head, plan.chunk(chain.position(stage(), c)), dropout))
        .toList();
  }

  /** The parameters that this rank updates and saves. */
  private SequencedMap<String, Tensor> own(PretrainPlan plan) {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>(model.parameters());
    all.entrySet().removeIf(p -> !owns(plan, p.getKey(), p.getValue()));
    return all;
  }

  /**
   * Refuses options that do not fit the model, before any file is written.
   *
   * @param length tokens in a sequence
   */
  private static void check(
      DecoderConfig config, PretrainOptions options, int length, Optional<ShardBuilder> share) {
    if (length > config.context()) {
      throw new InputException(
          "--seq-len " + length + " is more than the model's context of " + config.context());
    }
    options.exits().specs().forEach(e -> e.check(config.layers()));
    share
        .filter(s -> s.sequence() && length % s.group().size() != 0)
        .ifPresent(
            s -> {
              throw new InputException(
                  "--seq-len %d must be a multiple of the %d ranks that share out its tokens"
                      .formatted(length, s.group().size()));
            });
  }

  private int stage() {
    return groups.coordinates().pp();
  }

  /** Whether this rank computes with a tensor. */
  private boolean holds(PretrainPlan plan, String name) {
    return IntStream.range(0, chain.chunks())
        .anyMatch(c -> plan.needs(chain.position(stage(), c), name));
  }

  /** Whether this rank updates and saves it: of those that hold the head's matrix, one does. */
  private boolean owns(PretrainPlan plan, String name, Tensor tensor) {
    return tensor == model.decoder().head().weight() ? head.owner() == stage() : holds(plan, name);
  }

  /** The decoder in its present state, of which a stage has some tensors. */
  public Decoder decoder() {
    return model.decoder();
  }

  /** Number of weights, exits included; of this rank's share where ranks share them. */
  public long parameterCount() {
    return model.parameters().values().stream().mapToLong(t -> t.shape().count()).sum();
  }

  /**
   * The most bytes of temporaries in use at one time until now, and of messages between stages;
   * steady once the largest step is done.
   */
  public long workspaceBytes() {
    return workspace.peak() + passes.workspaceBytes();
  }

  private long exitBytes(Predicate<String> held) {
    return model.exits().stream()
        .filter(e -> held.test(CheckpointNames.ofExit(e.depth(), "")))
        .flatMap(e -> e.parameters().values().stream())
        .mapToLong(t -> t.span().bytes())
        .sum();
  }

  /**
   * What this rank holds, and the most that it has needed until now.
   *
   * @param copies whether checkpoints are written from copies
   */
  RankMemory memory(boolean copies) {
    long shared = gradients.sharedBytes();
    return new RankMemory(
        modelBytes - exitBytes,
        0,
        exitBytes,
        stateBytes + shared,
        workspaceBytes(),
        (groups.mesh().dp() - 1) * shared + (copies ? ShardedTensor.bytes(parts()) : 0),
        DryRun.JVM);
  }

  @Override
  public Map<String, Object> fingerprint() {
    Map<String, Object> m = new LinkedHashMap<>(options.describe());
    // earlier versions summed in another order
    m.put("gradient_sum", "ascending micro-batches, uses of the head apart");
    Fingerprint.addData(m, data);
    // runs of versions that had only such models resume
    String plain = ", bases=%s, cycle=%s".formatted(SharedBases.NONE, LayerCycle.NONE);
    m.put("model", config.toString().replace(plain, ""));
    Fingerprint.addShares(m, model.decoder().sharding());
    return m;
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>(own);
    optimizer.state().forEach((name, t) -> all.put(momentName(name), t));
    return all;
  }

  private static String momentName(String moment) {
    return "optimizer." + moment;
  }

  @Override
  public SequencedMap<String, ShardedTensor> parts() {
    if (replicas.isEmpty()) {
      return ShardedTensor.of(state(), model.decoder().sharding());
    }
    SequencedMap<String, ShardedTensor> all = trained();
    replicas.get().moments(optimizer.state()).forEach((n, m) -> all.put(momentName(n), m));
    return all;
  }

  @Override
  public SequencedMap<String, ShardedTensor> trained() {
    return replicas
        .map(OptimizerPartition::parameters)
        .orElseGet(() -> ShardedTensor.of(own, model.decoder().sharding()));
  }

  /** One norm of all, for which the first stage answers. */
  @Override
  public Map<String, Double> gradientNorms() {
    return stage() == 0 ? Map.of(ALL, lastNorm) : Map.of();
  }

  @Override
  public void restored() {
    head.publish();
  }

  @Override
  public List<String> lossNames() {
    List<String> names = new ArrayList<>();
    model.exits().forEach(e -> names.add(name(e.depth())));
    names.add(FINAL);
    return names;
  }

  private String name(int depth) {
    return depth == config.layers() ? FINAL : String.valueOf(depth);
  }

  @Override
  public long tokensPerStep() {
    return (long) options.globalBatch() * data.length();
  }

  /** Micro-batches of a step that each replica computes. */
  private int rounds() {
    return assignment.count(options.microBatches());
  }

  /** The number, among all micro-batches of a step, of micro-batch {@code i} of this replica. */
  private int number(long i) {
    return (int) assignment.number(i);
  }

  @Override
  public Supplier<Map<String, Double>> begin(int step) {
    LossTable table = new LossTable(lossNames(), options.microBatches());
    LossWeights weights = options.exits().weights();
    int micro = options.microBatch();
    long first = (long) step * options.globalBatch();
    long before = (long) step * rounds();
    passes.train(
        layout.schedule().all(chain, rounds()),
        i -> Microbatch.training(data, first + (long) number(i) * micro, micro),
        i ->
            new ModelChunk.Aim(
                tokensPerStep(),
                depth -> depth == config.layers() ? 1 : weights.at(depth, step),
                (depth, loss) -> table.put(number(i), name(depth), loss)),
        gradients,
        t -> {
          Action a = t.action();
          Action shifted = new Action(a.type(), before + a.microBatch(), a.chunk());
          trace.accept(new Timed(t.stage(), shifted, t.start(), t.end()));
        });
    update(step);
    return table.sums(groups);
  }

  private void update(int step) {
    Kernels kernels = device.kernels();
    Gradients whole =
        gradients.whole(
            chunks.stream().flatMap(p -> p.groups().stream()).flatMap(List::stream).toList());
    head.settle();
    head.sum(kernels, whole, workspace);
    double rate = options.schedule().at(step);
    try (var _ = workspace.mark()) {
      shares.ifPresent(s -> s.complete(kernels, workspace, whole));
      UnaryOperator<Tensor> gradient = OptimizerPartition.gradients(replicas, whole);
      lastNorm = norm.of(kernels, whole);
      optimizer.step(kernels, gradient, step + 1, rate, lastNorm);
    }
    replicas.ifPresent(OptimizerPartition::startExchange);
    replicas.ifPresent(OptimizerPartition::awaitExchange);
    head.publish();
  }

  @Override
  public Map<String, Double> validate() {
    int windows = data.validationCount();
    if (windows == 0) {
      return Map.of();
    }
    int micro = options.microBatch();
    int batches = Math.ceilDiv(windows, micro);
    LossTable table = new LossTable(lossNames(), batches);
    NoGrad.run(
        () ->
            passes.evaluate(
                assignment.count(batches),
                i -> Microbatch.heldOut(data, number(i) * micro, micro),
                i ->
                    new ModelChunk.Aim(
                        (double) windows * data.length(),
                        _ -> 1,
                        (depth, loss) -> table.put(number(i), name(depth), loss))));
    return table.sums(groups).get();
  }

  @Override
  public void close() {
    head.close();
    shares.ifPresent(ShardGradients::close);
    passes.close();
    workspace.close();
    arena.close();
  }
}

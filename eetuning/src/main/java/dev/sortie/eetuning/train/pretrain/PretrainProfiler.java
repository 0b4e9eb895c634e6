package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.InFlightMicrobatch;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.eetuning.train.stage.StageCosts;
import dev.sortie.eetuning.train.stage.StageProfiler;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule.Decay;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * Measures the parts of a stage in training from scratch, on one micro-batch of a model with few
 * layers: a plain one, one after the embedding, one before the final head, and one with each kind
 * of exit. What these take beyond the plain one is what the ends and the exits take. Updates at the
 * end of a step count with their share.
 *
 * @param config of the model
 * @param options of the run
 * @param length tokens in a sequence
 * @param rounds micro-batches of a step on each replica
 */
public record PretrainProfiler(
    DecoderConfig config, PretrainOptions options, int length, int rounds, Device device) {
  private static final int PLAIN = 2;

  /** A layer's time both ways, the update counted to the way back. */
  private record Ways(double forward, double backward) {
    double beyond(Ways plain) {
      return Math.max(0, forward + backward - plain.forward - plain.backward);
    }
  }

  /** Measures; empty if the JVM still compiles after some seconds. */
  public Optional<StageCosts> measure() {
    List<ExitSpec> kinds = options.exits().specs().stream().map(e -> at(e, 1)).distinct().toList();
    List<ExitSpec> specs = new ArrayList<>();
    kinds.forEach(kind -> specs.add(at(kind, PLAIN + 1 + specs.size())));
    return times(PLAIN + specs.size() + 1, specs).map(times -> costs(kinds, times));
  }

  private StageCosts costs(List<ExitSpec> kinds, List<Ways> times) {
    Ways plain = times.get(PLAIN - 1);
    TreeMap<Integer, Double> exits = new TreeMap<>();
    for (ExitSpec e : options.exits().specs()) {
      exits.put(e.depth(), times.get(PLAIN + kinds.indexOf(at(e, 1))).beyond(plain));
    }
    return new StageCosts(
        true,
        plain.forward,
        plain.backward,
        times.getFirst().beyond(plain),
        times.getLast().beyond(plain),
        exits,
        new TreeMap<>());
  }

  private static ExitSpec at(ExitSpec e, int depth) {
    return new ExitSpec(depth, e.architecture(), e.ownHead(), e.draftTokens());
  }

  private Optional<List<Ways>> times(int layers, List<ExitSpec> specs) {
    PretrainOptions few =
        new PretrainOptions(
                options.microBatch(),
                options.globalBatch(),
                options.schedule(),
                options.adamW(),
                options.seed())
            .withExits(PretrainExits.of(specs, Map.of(), 1, 1, 0, Decay.LINEAR));
    Chain alone = new Chain(1, 1);
    DecoderConfig small = config.withLayers(layers);
    try (NativeArena arena = new NativeArena("model to measure");
        Workspace workspace = new Workspace();
        InFlightMicrobatch inFlight = new InFlightMicrobatch(device)) {
      PretrainModel model =
          PretrainModel.begun(
              small, few, DecoderBuilder.WHOLE, name -> true, arena, device.kernels());
      PretrainPlan plan = new PretrainPlan(small, specs, length, alone);
      List<StageProfiler.Part> parts = new ArrayList<>();
      try (SharedHead head = new SharedHead(ProcessGroups.single(), model, plan, alone)) {
        for (int i = 0; i < layers; i++) {
          ModelChunk chunk =
              new ModelChunk(
                  model, head, new Stage(i, layers, i, i + 1, false), options.dropping());
          parts.add(part(chunk, inFlight, arena, workspace));
        }
        return StageProfiler.seconds(
                parts, options.microBatch(), length, config, arena, device.kernels())
            .map(all -> all.stream().map(this::ways).toList());
      }
    }
  }

  private Ways ways(double[] laps) {
    return new Ways(laps[0], laps[1] + laps[2] / rounds);
  }

  /** A micro-batch of a chunk forward and backward, and its update. */
  private StageProfiler.Part part(
      ModelChunk chunk, InFlightMicrobatch inFlight, NativeArena arena, Workspace workspace) {
    List<Tensor> parameters = chunk.groups().stream().flatMap(List::stream).distinct().toList();
    GradientAccumulator sums =
        new GradientAccumulator(ProcessGroups.single(), arena, device.kernels(), chunk.groups());
    SequencedMap<String, Tensor> named = new LinkedHashMap<>();
    parameters.forEach(p -> named.put(String.valueOf(named.size()), p));
    AdamW optimizer = new AdamW(options.adamW(), arena, device.kernels(), named);
    ModelChunk.Aim aim =
        new ModelChunk.Aim((double) options.globalBatch() * length, _ -> 1, (_, _) -> {});
    int[] step = new int[1];
    return in -> {
      inFlight.begin(in.batch());
      Optional<Tensor> before = chunk.isFirst() ? Optional.empty() : Optional.of(in.states());
      ModelChunk.Trail[] trail = new ModelChunk.Trail[1];
      double forward = StageProfiler.time(() -> trail[0] = chunk.forward(inFlight, before));
      Optional<Tensor> behind =
          chunk.isLast()
              ? Optional.empty()
              : Optional.of(
                  StageProfiler.filled(
                      inFlight.ops().workspace(), device.kernels(), in.states().shape()));
      int round = step[0]++ % rounds;
      double backward =
          StageProfiler.time(() -> chunk.backward(trail[0], round, behind, aim, sums));
      double update =
          StageProfiler.time(
              () -> {
                try (var _ = workspace.mark()) {
                  Gradients whole = sums.whole(parameters);
                  optimizer.step(device.kernels(), whole, 1, 1e-9);
                }
              });
      return new double[] {forward, backward, update};
    };
  }
}

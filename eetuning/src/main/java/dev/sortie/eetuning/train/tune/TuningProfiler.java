package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StageCosts;
import dev.sortie.eetuning.train.stage.StageProfiler;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Measures the parts of a stage in tuning, on one micro-batch: a layer forward, and each kind of
 * exit both ways with its share of the update at the end of a step. Takes some seconds, most of it
 * until the kernels are compiled, which training would have to wait for as well.
 *
 * @param config of the backbone
 * @param options of the run
 * @param length tokens in a sequence
 * @param rounds micro-batches of a step on each replica
 */
public record TuningProfiler(
    DecoderConfig config, TuneOptions options, int length, int rounds, Device device) {
  /** Models whose layers differ repeat a pattern that is not longer. */
  private static final int PATTERN = 8;

  /** What exits are told apart by. */
  private record Kind(Optional<ExitSpec> spec, boolean ownHead, int draftTokens) {
    static Kind of(ExitOutline e) {
      return new Kind(
          e.architecture().map(a -> new ExitSpec(1, a, e.ownHead(), e.draftTokens())),
          e.ownHead(),
          e.draftTokens());
    }

    Optional<DraftVocabulary> draft(int vocab) {
      return draftTokens == 0
          ? Optional.empty()
          : Optional.of(DraftVocabulary.lowest(draftTokens, vocab));
    }
  }

  /** Measures; empty if the JVM still compiles after some seconds. */
  public Optional<StageCosts> measure(List<ExitOutline> outlines) {
    List<Kind> kinds = outlines.stream().map(Kind::of).distinct().toList();
    int layers = config.switches().layers().isEmpty() ? 2 : Math.min(config.layers(), PATTERN);
    try (NativeArena arena = new NativeArena("parts to measure");
        Workspace workspace = new Workspace()) {
      Decoder decoder =
          new Decoder(
              config.withLayers(Math.max(2, layers)),
              arena,
              StageProfiler.weights(arena, device.kernels()));
      Ops ops = new Ops(device, workspace);
      List<StageProfiler.Part> parts = new ArrayList<>();
      parts.add(layers(decoder, ops));
      kinds.forEach(kind -> parts.add(exit(kind, decoder, ops, arena)));
      return StageProfiler.seconds(
              parts, options.microBatch(), length, config, arena, device.kernels())
          .map(seconds -> costs(outlines, kinds, seconds, decoder));
    }
  }

  private StageCosts costs(
      List<ExitOutline> outlines, List<Kind> kinds, List<double[]> seconds, Decoder decoder) {
    TreeMap<Integer, Double> exits = new TreeMap<>();
    TreeMap<Integer, Double> teachers = new TreeMap<>();
    for (ExitOutline e : outlines) {
      double[] laps = seconds.get(1 + kinds.indexOf(Kind.of(e)));
      double both = laps[0] + laps[1] / rounds;
      if (options.objective() == Objective.KL) {
        // measured together, for a teacher alone is no step of any exit
        double own = StageCosts.exit(e, config, length, options.lookahead().unroll());
        double shared = e.headWeights(config);
        double teacher = both * shared / (own + shared);
        teachers.merge(e.depth(), teacher, Math::max);
        both -= teacher;
      }
      exits.merge(e.depth(), both, Double::sum);
    }
    double layer = seconds.getFirst()[0] / decoder.config().layers();
    return new StageCosts(true, layer, 0, 0, 0, exits, teachers);
  }

  private static StageProfiler.Part layers(Decoder decoder, Ops ops) {
    int layers = decoder.config().layers();
    return in -> {
      try (var _ = ops.workspace().mark()) {
        return new double[] {
          StageProfiler.time(
              () ->
                  NoGrad.run(() -> decoder.advance(ops, in.states(), 0, layers, Decoder.Tap.NONE)))
        };
      }
    };
  }

  /** A micro-batch of an exit, and its update. */
  private StageProfiler.Part exit(Kind kind, Decoder decoder, Ops ops, NativeArena arena) {
    int layers = decoder.config().layers();
    Workspace workspace = ops.workspace();
    Weights weights =
        (_, shape, _) -> StageProfiler.filled(arena, device.kernels(), shape).asParameter();
    Optional<DraftVocabulary> draft = kind.draft(config.vocab());
    Optional<Exit> exit = kind.spec().map(spec -> new Exit(spec, decoder, weights, draft, arena));
    Optional<Lookahead> ahead =
        exit.isPresent()
            ? Optional.empty()
            : Optional.of(new Lookahead(decoder, weights, List.of(), kind.ownHead(), draft, arena));
    TrainableExit trainable =
        TrainableExit.of(
            exit.isPresent() ? 1 : layers,
            exit,
            exit.map(Exit::parameters).orElseGet(() -> ahead.orElseThrow().parameters()),
            Sharding.NONE,
            options,
            ProcessGroups.single(),
            arena,
            device.kernels());
    ExitLosses losses = new ExitLosses(decoder, options, ops, arena, List.of(trainable), ahead);
    GradientAccumulator sums =
        new GradientAccumulator(
            ProcessGroups.single(), arena, device.kernels(), List.of(trainable.tensors()));
    int[] step = new int[1];
    return in -> {
      HiddenState x = new HiddenState(in.states(), in.states());
      try (var _ = workspace.mark()) {
        Batch tensors = Batch.of(workspace, in.batch().windows());
        int round = step[0]++ % rounds; // the first micro-batch of a step adds to nothing
        return new double[] {
          StageProfiler.time(
              () ->
                  losses.each(
                      in.batch(),
                      tensors,
                      Map.of(1, x, layers, x),
                      options.globalBatch(),
                      (_, _, objective) ->
                          sums.add(round, objective, trainable.tensors(), workspace))),
          StageProfiler.time(() -> trainable.update(ops, sums.whole(trainable.tensors()), 1, 1e-9))
        };
      }
    };
  }
}

package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An EE-Tuning step in F32 against PyTorch and JAX: four {@code mlp} exits with heads of their own
 * after layers 2, 4, 6 and 8 of a frozen backbone, cross-entropy, nothing of the backbone cached.
 * The model has a ninth layer, since no exit stands after the last; neither side runs it.
 */
public final class TuneComparison implements Comparison {
  private static final String CASE = "4 exits, first epoch, F32";
  private static final List<Integer> DEPTHS = List.of(2, 4, 6, 8);

  /** Exits that train a norm before the MLP do more work than ours. */
  private static final List<String> OTHERS = List.of("bf16_autocast", "exits_with_own_norm");

  /** For the command line. */
  public TuneComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    settings.choose(List.of(CASE), c -> c);
    TrainingPlan plan = new TrainingPlan(9);
    TuneOptions options =
        new TuneOptions(
            Objective.CE,
            false,
            Map.of(),
            TrainingPlan.BATCH,
            TrainingPlan.BATCH,
            plan.schedule(),
            plan.adamW(),
            1);
    try (TemporaryFolder folder = TemporaryFolder.create();
        NativeArena arena = new NativeArena("comparison");
        Device device = Device.cpu(settings.threads())) {
      RandomModel.write(folder.path(), plan.config(), device);
      try (LanguageModel model = LanguageModel.load(folder.path(), Precision.F32, device)) {
        Exits exits = exits(model, arena, device);
        plan.write(folder.path(), model.decoder().parameters(), DEPTHS, named(exits));
        try (ExitTuner tuner = new ExitTuner(model, exits, options, plan.source(), device);
            TrainingPeers peers = TrainingPeers.start(settings, folder.path())) {
          settings.progress().accept("tuning steps; the peers compile theirs first");
          return new StepDuel(tuner, peers.ways(OTHERS))
              .run(CASE, plan.tokensPerStep(), settings.rounds());
        }
      }
    }
  }

  private static Exits exits(LanguageModel model, NativeArena arena, Device device) {
    List<Exit> list =
        DEPTHS.stream()
            .map(
                depth ->
                    ExitInit.RANDOM.build(
                        new ExitSpec(depth, ExitArchitecture.MLP, true),
                        model.decoder(),
                        1,
                        arena,
                        device.kernels()))
            .toList();
    return new Exits(model.sha256(), Map.of(), list);
  }

  /** Tensors of all exits as the peer's script names them: by the exit's place in its list. */
  private static SequencedMap<String, Tensor> named(Exits exits) {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    for (int i = 0; i < exits.exits().size(); i++) {
      String prefix = i + ".";
      exits.exits().get(i).parameters().forEach((name, t) -> all.put(prefix + name, t));
    }
    return all;
  }
}

package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.ReservedWeights;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelMemory;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * The memory that tuning takes.
 *
 * @param config of the backbone
 * @param exits all that are tuned
 * @param options of the run
 * @param length tokens in a sequence
 * @param mesh of ranks
 * @param stages which layers and exits each has
 * @param sequence whether ranks that share weights share out the rows of the residual stream too
 * @param copies whether checkpoints are written from copies
 * @param weights the backbone's weights that a rank holds
 */
public record TuneDryRun(
    DecoderConfig config,
    List<ExitOutline> exits,
    TuneOptions options,
    int length,
    Mesh mesh,
    StagePlan stages,
    boolean sequence,
    boolean copies,
    Function<Coordinates, ModelMemory> weights)
    implements DryRun {

  @Override
  public int microBatch() {
    return options.microBatch();
  }

  @Override
  public RankMemory of(Coordinates at, int microBatch) {
    try (ProcessGroups groups = ProcessGroups.dry(mesh, at);
        Device device = DryRun.device();
        NativeArena arena = NativeArena.reserving("backbone of a dry run")) {
      DecoderBuilder builder =
          groups
              .tensorParallel()
              .<DecoderBuilder>map(group -> new ShardBuilder(group, sequence))
              .orElse(DecoderBuilder.WHOLE);
      // rotary tables beyond the sequence are not read
      Decoder decoder =
          builder.build(config.withContext(length), arena, new ReservedWeights(arena));
      HfConfig hf = new HfConfig(config, OptionalInt.empty(), List.of(), Optional.empty());
      LanguageModel model =
          new LanguageModel(
              null, hf, decoder, null, null, arena, null, Precision.F32, Arithmetic.EXACT, device);
      try (ExitTuner tuner =
          new ExitTuner(
              model,
              OutlinedExits.of(exits, decoder, new ReservedWeights(arena), arena),
              options.with(microBatch, enough(options.microBatches())),
              new RowsSource(new int[1][length + 1], 0, 0),
              device,
              TunePlacement.on(groups).with(stages, t -> {}))) {
        DryRun.steps(tuner, options.schedule().steps());
        return tuner.memory(weights.apply(at), copies);
      }
    }
  }
}

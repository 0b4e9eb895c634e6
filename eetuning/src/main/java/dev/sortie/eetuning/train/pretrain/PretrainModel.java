package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.ReservedWeights;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.checkpoint.CheckpointNames;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.Weights;
import dev.sortie.nn.load.FileWeights;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A decoder with exits that are trained together.
 *
 * @param decoder whose tensors this rank may hold in part
 * @param exits shallow first
 */
public record PretrainModel(Decoder decoder, List<Exit> exits) {

  /**
   * The parameters of a model that begins: those that continued training begins with, with exits
   * that are copies of its last layers, or else random ones, each number given by the seed, its
   * name and index.
   */
  static PretrainModel begun(
      DecoderConfig config,
      PretrainOptions options,
      DecoderBuilder builder,
      Predicate<String> held,
      NativeArena arena,
      Kernels kernels) {
    Random seed = new Random(options.seed(), 0);
    ExitInit exits = options.start().isPresent() ? ExitInit.COPY : ExitInit.RANDOM;
    Function<SlicedWeights, PretrainModel> with =
        weights ->
            of(
                config,
                options,
                builder,
                held,
                arena,
                weights,
                (spec, decoder) -> exits.weights(spec, decoder, seed, arena, kernels));
    if (options.start().isEmpty()) {
      return with.apply(new RandomWeights(seed, 0.02, config.layers(), arena));
    }
    try (ModelFiles files = ModelFiles.open(options.start().get().model())) {
      return with.apply(new FileWeights(files.weights(), Precision.F32, arena, kernels));
    }
  }

  /** The parameters of a model that nobody computes with; see {@link DryRun}. */
  static PretrainModel reserved(
      DecoderConfig config,
      PretrainOptions options,
      DecoderBuilder builder,
      Predicate<String> held,
      NativeArena arena) {
    ReservedWeights weights = new ReservedWeights(arena);
    return of(config, options, builder, held, arena, weights, (_, _) -> weights);
  }

  private static PretrainModel of(
      DecoderConfig config,
      PretrainOptions options,
      DecoderBuilder builder,
      Predicate<String> held,
      NativeArena arena,
      SlicedWeights weights,
      BiFunction<ExitSpec, Decoder, Weights> ofExit) {
    Decoder decoder = builder.build(config, arena, new StageWeights(weights, held, arena));
    List<Exit> exits = new ArrayList<>();
    for (ExitSpec spec : options.exits().specs()) {
      spec.check(config.layers());
      boolean here = held.test(CheckpointNames.ofExit(spec.depth(), ""));
      SlicedWeights own = whole(ofExit.apply(spec, decoder));
      exits.add(new Exit(spec, decoder, new StageWeights(own, name -> here, arena)));
    }
    return new PretrainModel(decoder, exits);
  }

  /** Weights that a rank has its share of already. */
  private static SlicedWeights whole(Weights weights) {
    return new SlicedWeights() {
      @Override
      public Tensor get(String name, Shape shape, Role role) {
        return weights.get(name, shape, role);
      }

      @Override
      public Tensor get(String name, Shape whole, Role role, Slice part) {
        throw new UnsupportedOperationException("a part of " + name);
      }
    };
  }

  /**
   * The model of a run that is done, from its last checkpoint.
   *
   * @param out folder of the run
   * @param allocator where its weights live
   * @throws dev.sortie.nn.InputException if there is no whole checkpoint of such a run
   */
  public static PretrainModel finished(
      Path out, DecoderConfig config, PretrainExits exits, Allocator allocator, Kernels kernels) {
    Weights room = new ReservedWeights(allocator);
    Decoder decoder = new Decoder(config, allocator, room);
    PretrainModel model =
        new PretrainModel(
            decoder, exits.specs().stream().map(s -> new Exit(s, decoder, room)).toList());
    Checkpoints.readNewest(out, ShardedTensor.of(model.parameters(), Sharding.NONE), kernels);
    return model;
  }

  /** All parameters by their names in checkpoints, also those that other ranks hold. */
  public SequencedMap<String, Tensor> parameters() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>(decoder.parameters());
    for (Exit e : exits) {
      e.parameters().forEach((name, t) -> all.put(CheckpointNames.ofExit(e.depth(), name), t));
    }
    return all;
  }
}

package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.checkpoint.CheckpointNames;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The exits of a run that is done, put together from its last checkpoint: of a pipeline's ranks
 * none holds them all.
 *
 * @param model the backbone, all of it if gates are fitted; else its weights may lie unread
 * @param start exits that the run began with
 * @param data what they were tuned on
 * @param device where to compute
 */
public record FinishedExits(LanguageModel model, Exits start, TokenSource data, Device device) {

  /**
   * Reads them.
   *
   * @param out folder of the run
   * @param allocator where their weights live
   * @throws InputException if there is no whole checkpoint of such a run
   */
  public Exits read(Path out, NativeArena allocator) {
    Exits exits = new TrainableCopies(model.decoder(), data, allocator, device.kernels()).of(start);
    Map<String, ShardedTensor> tensors = new LinkedHashMap<>();
    exits
        .exits()
        .forEach(
            e ->
                e.parameters()
                    .forEach(
                        (n, t) ->
                            tensors.put(
                                CheckpointNames.ofExit(e.depth(), n), ShardedTensor.all(t))));
    int layers = model.config().decoder().layers();
    exits
        .lookahead()
        .ifPresent(
            l ->
                l.parameters()
                    .forEach(
                        (n, t) ->
                            tensors.put(CheckpointNames.ofExit(layers, n), ShardedTensor.all(t))));
    Checkpoints.readNewest(out, tensors, device.kernels());
    return exits;
  }

  /** The exits with gates, as {@link ExitTuner#gated} fits them. */
  public Exits gated(Exits exits, int tokens, NativeArena allocator) {
    return new GateFitter(model.decoder(), data, FeatureSource.of(model.decoder()), device)
        .fit(exits, tokens, allocator);
  }
}

package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A tiny model of four layers with copied exits, and what decodes many texts with it. */
final class TinyBatch implements AutoCloseable {
  static final int LAYERS = 4;
  static final int VOCAB = 290;

  private final Device device = Device.cpu(2);
  private final NativeArena arena = new NativeArena("exits");
  private final LanguageModel model;
  private final Exits exits;

  /**
   * Writes and loads the model.
   *
   * @param context of the model, in tokens
   */
  TinyBatch(Path folder, int context, ExitSpec... specs) {
    model =
        LanguageModel.load(
            TinyModel.write(folder, LAYERS, 16, VOCAB, context, 1), Precision.F32, device);
    exits =
        new Exits(
            model.sha256(),
            Map.of(),
            Arrays.stream(specs)
                .map(s -> ExitInit.COPY.build(s, model.decoder(), 0, arena, device.kernels()))
                .toList());
  }

  Device device() {
    return device;
  }

  LanguageModel model() {
    return model;
  }

  Exits exits() {
    return exits;
  }

  BatchDecoder decoder() {
    return decoder(device);
  }

  BatchDecoder decoder(Device on) {
    return new BatchDecoder(model.decoder(), exits, on);
  }

  /** As many pages of so many tokens; {@code reuse} tells whether prompts share beginnings. */
  PagePool pool(int pages, int page, boolean reuse) {
    return new PagePool(model.decoder(), exits, pages, page, reuse);
  }

  /** Rounds until all texts have ended. */
  static void finish(Scheduler scheduler) {
    while (scheduler.round()) {
      assertThat(scheduler.pending()).isNotNegative();
    }
  }

  @Override
  public void close() {
    arena.close();
    model.close();
    device.close();
  }
}

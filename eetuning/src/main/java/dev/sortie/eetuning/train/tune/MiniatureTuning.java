package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.train.ReservedWeights;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * Tuning in miniature: takes the code paths of a run at a thousandth of its work, so that the JVM
 * compiles them. One exit of each kind is tuned, after the miniature's first layer.
 *
 * @param exits those of the run
 * @param options of the run
 */
public record MiniatureTuning(List<ExitOutline> exits, TuneOptions options)
    implements BiConsumer<Decoder, Device> {
  /** Tokens in a sequence: more than the stable rows, and no multiple of a tile's. */
  private static final int LENGTH = 43;

  /** Steps: the kernel that is called least is compiled by then. */
  private static final int STEPS = 32;

  private static final int DRAFT_TOKENS = 24;

  @Override
  public void accept(Decoder miniature, Device device) {
    exits.stream()
        .map(e -> behindFirst(e, miniature.config().layers()))
        .distinct()
        .forEach(e -> tune(e, miniature, device));
  }

  private static ExitOutline behindFirst(ExitOutline e, int layers) {
    return new ExitOutline(
        e.isLookahead() ? layers : 1,
        e.architecture(),
        e.ownHead(),
        Math.min(DRAFT_TOKENS, e.draftTokens()),
        IntStream.rangeClosed(1, Math.min(layers, e.features().size())).boxed().toList());
  }

  private void tune(ExitOutline exit, Decoder miniature, Device device) {
    TuneOptions small =
        new TuneOptions(
                options.objective(),
                options.confidenceWeights(),
                Map.of(),
                options.microBatch(),
                options.globalBatch(),
                options.schedule(),
                options.adamW(),
                options.seed(),
                options.lookahead())
            .with(Math.min(2, options.microBatch()), Math.min(2, options.microBatches()));
    HfConfig config =
        new HfConfig(miniature.config(), OptionalInt.empty(), List.of(), Optional.empty());
    try (NativeArena arena = new NativeArena("exit of a miniature");
        ExitTuner tuner =
            new ExitTuner(
                new LanguageModel(
                    null,
                    config,
                    miniature,
                    null,
                    null,
                    arena,
                    null,
                    Precision.F32,
                    Arithmetic.EXACT,
                    device),
                OutlinedExits.of(List.of(exit), miniature, new ReservedWeights(arena), arena),
                small,
                new RowsSource(new int[1][LENGTH + 1], 0, 0),
                device)) {
      for (int step = 0; step < STEPS; step++) {
        tuner.step(Math.min(step, options.schedule().steps() - 1));
      }
    }
  }
}

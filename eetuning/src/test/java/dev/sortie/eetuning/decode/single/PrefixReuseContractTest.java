package dev.sortie.eetuning.decode.single;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.speculative.DraftSource;
import dev.sortie.eetuning.decode.speculative.EarlyExitDraft;
import dev.sortie.eetuning.decode.speculative.FixedDraftLength;
import dev.sortie.eetuning.decode.speculative.PromptLookup;
import dev.sortie.eetuning.decode.speculative.Speculative;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A text that begins as the one before is read from where it differs, and nothing else changes.
 * Batches here are of at most 16 rows, which have the bits of rows read one by one, so all results
 * are equal to the bit.
 */
class PrefixReuseContractTest {
  private static final int CAPACITY = 20;

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;

  enum Strategy {
    FULL,
    EXITS,
    EXITS_WITH_LAYERS,
    SPECULATIVE,
    SPECULATIVE_WITH_EXIT;

    DecodingStrategy open() {
      if (this == FULL) {
        return new FullDepth(model.decoder(), CAPACITY, device);
      }
      if (this == SPECULATIVE || this == SPECULATIVE_WITH_EXIT) {
        return speculative(this == SPECULATIVE_WITH_EXIT);
      }
      ExitArchitecture a = this == EXITS ? ExitArchitecture.NORM : ExitArchitecture.LAYER;
      List<Exit> exits = new ArrayList<>();
      for (int depth : new int[] {1, 2}) {
        ExitSpec spec = new ExitSpec(depth, a, false, 60);
        exits.add(ExitInit.COPY.build(spec, model.decoder(), 0, arena, device.kernels()));
      }
      // the second exit is always taken, so that deeper layers lag behind
      ExitPolicy second =
          new ExitPolicy() {
            @Override
            public boolean exits(int depth, double confidence) {
              return depth == 2;
            }

            @Override
            public boolean never() {
              return false;
            }
          };
      return new EarlyExit(
          model.decoder(),
          new Exits(model.sha256(), Map.of(), exits),
          second,
          CAPACITY,
          15,
          device);
    }
  }

  /** Always drafts four tokens. */
  private static Speculative speculative(boolean byExit) {
    ExitSpec spec = new ExitSpec(2, ExitArchitecture.LAYER, true);
    DraftSource source =
        byExit
            ? new EarlyExitDraft(
                ExitInit.COPY.build(spec, model.decoder(), 0, arena, device.kernels()),
                model.config().decoder().layers(),
                0,
                CAPACITY)
            : new PromptLookup(CAPACITY);
    return FixedDraftLength.decoding(model.decoder(), List.of(source), CAPACITY, device, 4);
  }

  @BeforeAll
  static void load() {
    device = Device.cpu(1);
    model = LanguageModel.load(TinyModel.write(folder.resolve("model"), 1), Precision.F32, device);
    arena = new NativeArena("exits");
  }

  @AfterAll
  static void close() {
    arena.close();
    model.close();
    device.close();
  }

  private static int[] prompt(int... ids) {
    return ids;
  }

  private static List<float[]> fresh(Strategy strategy, int[] prompt) {
    try (DecodingStrategy s = strategy.open()) {
      return logits(s, prompt);
    }
  }

  /** Logits after a prompt, then after each of two more tokens. */
  private static List<float[]> logits(DecodingStrategy s, int[] prompt) {
    List<float[]> all = new ArrayList<>();
    all.add(s.prefill(prompt).logits().clone());
    all.add(s.next(7).logits().clone());
    all.add(s.next(8).logits().clone());
    return all;
  }

  @ParameterizedTest
  @EnumSource
  void eachTextHasTheLogitsOfOneReadAnew(Strategy strategy) {
    int[][] texts = {
      prompt(1, 2, 3, 4, 5),
      prompt(1, 2, 3, 4, 5, 7, 8, 9, 10), // continues as decoded
      prompt(1, 2, 3, 4, 5, 7, 11, 12), // differs in what was decoded
      prompt(1, 2, 13), // shorter
      prompt(1, 2, 13), // the same
      prompt(1), // a beginning
      prompt(14, 15, 16), // another
    };
    int[] reused = {0, 7, 6, 2, 2, 0, 0};
    try (PrefixReuse s = new PrefixReuse(strategy.open(), CAPACITY)) {
      for (int i = 0; i < texts.length; i++) {
        List<float[]> expected = fresh(strategy, texts[i]);
        List<float[]> found = logits(s, texts[i]);
        assertThat(s.reused()).as("text %d", i).isEqualTo(reused[i]);
        assertThat(s.position()).isEqualTo(texts[i].length + 2);
        for (int step = 0; step < 3; step++) {
          assertThat(found.get(step)).as("text %d, step %d", i, step).isEqualTo(expected.get(step));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTextThatDoesNotFitIsRefusedAndTheOneBeforeStays(Strategy strategy) {
    try (PrefixReuse s = new PrefixReuse(strategy.open(), CAPACITY)) {
      s.prefill(prompt(1, 2, 3));
      assertThatThrownBy(() -> s.prefill(new int[CAPACITY + 1]))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("21", "20");
      s.prefill(prompt(1, 2, 3, 4));
      assertThat(s.reused()).isEqualTo(3);
      assertThatThrownBy(() -> s.rewind(5)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}

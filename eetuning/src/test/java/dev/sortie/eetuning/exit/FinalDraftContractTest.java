package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The backbone's head over some tokens, after its last layer. */
class FinalDraftContractTest {
  private static final int DRAFT = 60;

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;

  @BeforeAll
  static void open() {
    device = Device.cpu(1);
    arena = new NativeArena("exits");
    model = LanguageModel.load(TinyModel.write(folder.resolve("model"), 1), Precision.F32, device);
  }

  @AfterAll
  static void close() {
    model.close();
    arena.close();
    device.close();
  }

  private static Exits exits(ExitSpec... specs) {
    List<Exit> list =
        List.of(specs).stream()
            .map(s -> ExitInit.COPY.build(s, model.decoder(), 1, arena, device.kernels()))
            .toList();
    return new Exits("", Map.of(), list);
  }

  @Test
  void itCoversTheTokensOfTheDeepestDraftHeadAndIsAddedOnce() {
    Exits all =
        FinalDraft.add(
            exits(
                new ExitSpec(1, ExitArchitecture.NORM, false, DRAFT),
                new ExitSpec(2, ExitArchitecture.NORM, true, 2 * DRAFT)));
    assertThat(all.depths()).containsExactly(1, 2, 3);
    assertThat(all.exits().getLast().draft()).isEqualTo(all.exits().getFirst().draft());
    assertThat(all.betweenLayers()).hasSize(2);
    assertThat(all.deepest()).isEqualTo(2);
    assertThat(FinalDraft.add(all)).isSameAs(all);
  }

  @Test
  void withoutADraftHeadOfTheBackbonesRowsThereIsNone() {
    for (ExitSpec none :
        List.of(
            new ExitSpec(1, ExitArchitecture.NORM, false),
            new ExitSpec(1, ExitArchitecture.NORM, true, DRAFT))) {
      Exits exits = exits(none);
      assertThat(FinalDraft.add(exits)).isSameAs(exits);
    }
  }

  /** It takes the most likely of its tokens and the text's, with the final layer's logits. */
  @Test
  void whatItTakesIsWhatFullDepthTakesAmongItsTokens() {
    Exits all = FinalDraft.add(exits(new ExitSpec(1, ExitArchitecture.NORM, false, DRAFT)));
    DraftVocabulary draft = all.exits().getLast().draft().orElseThrow();
    int[] ids = model.tokenizer().encode(TinyModel.TEXT);
    ExitThresholds always = new ExitThresholds(new TreeMap<>(Map.of(3, 0.0)));
    ExitThresholds never = new ExitThresholds(new TreeMap<>(Map.of(3, 0.9999)));
    try (FullDepth full = new FullDepth(model.decoder(), 40, device);
        EarlyExit taken = new EarlyExit(model.decoder(), all, always, 40, 15, device);
        EarlyExit asked = new EarlyExit(model.decoder(), all, never, 40, 15, device)) {
      int[] prompt = {ids[0]};
      full.prefill(prompt);
      taken.prefill(prompt);
      asked.prefill(prompt);
      Set<Integer> read = new HashSet<>(Set.of(ids[0]));
      for (int i = 1; i < 40; i++) {
        read.add(ids[i]);
        Step expected = full.next(ids[i]);
        Step some = taken.next(ids[i]);
        assertThat(some.exit()).isEqualTo(OptionalInt.of(3));
        for (int id = 0; id < some.logits().length; id++) {
          boolean covered = draft.index(id) >= 0 || read.contains(id);
          assertThat(some.logits()[id])
              .isEqualTo(covered ? expected.logits()[id] : Float.NEGATIVE_INFINITY);
        }
        Step whole = asked.next(ids[i]);
        assertThat(whole.exit()).isEmpty();
        assertThat(whole.logits()).isEqualTo(expected.logits());
      }
      for (int layer = 0; layer < 3; layer++) {
        assertThat(taken.completedCache(layer).getFirst().toFloats())
            .isEqualTo(asked.completedCache(layer).getFirst().toFloats());
      }
    }
  }
}

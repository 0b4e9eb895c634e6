package dev.sortie.eetuning.eval.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.eval.ChoiceScorer;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.eval.TokenReadings;
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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChoiceScorerContractTest {
  @TempDir private static Path shared;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;
  private static Exits exits;

  @BeforeAll
  static void open() {
    device = Device.cpu(1);
    arena = new NativeArena("exits");
    model = LanguageModel.load(TinyModel.write(shared.resolve("model"), 1), Precision.F32, device);
    exits =
        new Exits(
            "",
            Map.of(),
            List.of(
                ExitInit.COPY.build(
                    new ExitSpec(1, ExitArchitecture.LAYER, false),
                    model.decoder(),
                    1,
                    arena,
                    device.kernels())));
  }

  @AfterAll
  static void close() {
    model.close();
    arena.close();
    device.close();
  }

  private static TaskItem.Choice item(String context, int answer, String... choices) {
    return new TaskItem.Choice("t", "1", context, " ", List.of(choices), answer);
  }

  @Test
  void readingsAddUpToTheScorersOfTheSameText() {
    String text = "The fox ran over the hill.";
    int[] ids = model.tokenizer().encode(text);
    TokenReadings r = TokenReadings.of(model, exits, device, ids, 1);
    TextScorer.Result scored =
        new TextScorer(model, exits, device).score(text, TextScorer.Progress.NONE);
    assertThat(r.tokens()).isEqualTo((int) scored.tokens());
    assertThat(Arrays.stream(r.last().nll()).average().orElseThrow())
        .isCloseTo(scored.heads().get("final").nll(), within(1e-5));
    assertThat(Arrays.stream(r.exits().getFirst().nll()).average().orElseThrow())
        .isCloseTo(scored.heads().get("1").nll(), within(1e-5));
    int agreed = 0;
    for (int i = 0; i < r.tokens(); i++) {
      agreed += r.exits().getFirst().choices()[i] == r.last().choices()[i] ? 1 : 0;
    }
    assertThat((double) agreed / r.tokens())
        .isCloseTo(scored.heads().get("1").agreement(), within(1e-12));
  }

  @Test
  void onlyTheLastTokensAreReadWhereOthersAreGiven() {
    int[] ids = model.tokenizer().encode("The fox ran over the hill.");
    TokenReadings all = TokenReadings.of(model, exits, device, ids, 1);
    TokenReadings some = TokenReadings.of(model, exits, device, ids, 4);
    assertThat(some.last().choices())
        .containsExactly(Arrays.copyOfRange(all.last().choices(), 3, all.tokens()));
    assertThat(some.exits().getFirst().nll()[0])
        .isCloseTo(all.exits().getFirst().nll()[3], within(1e-5));
  }

  @Test
  void normalisationsDivideByCharactersAndByBytes() {
    // sums favour the short one, characters the second, bytes the third
    TaskItem.Choice item = item("c", 1, "ab", "éééééé", "abcdefghij");
    double[] sums = {-5, -10, -10.5};
    // a character: -2.5, -1.67, -1.05; a byte: -2.5, -0.83, -1.05
    assertThat(ChoiceScorer.accuracy(item, sums)).isEqualTo(new ChoiceScorer.Accuracy(0, 0, 1));
    TaskItem.Choice first = item("c", 0, "ab", "éééééé", "abcdefghij");
    assertThat(ChoiceScorer.accuracy(first, sums)).isEqualTo(new ChoiceScorer.Accuracy(1, 0, 0));
    TaskItem.Choice third = item("c", 2, "ab", "éééééé", "abcdefghij");
    assertThat(ChoiceScorer.accuracy(third, sums)).isEqualTo(new ChoiceScorer.Accuracy(0, 1, 0));
    TaskItem.Choice emoji = item("c", 0, "\uD83D\uDE00", "ab");
    // one character of four bytes
    assertThat(ChoiceScorer.accuracy(emoji, new double[] {-1.5, -2}))
        .isEqualTo(new ChoiceScorer.Accuracy(1, 0, 1));
  }

  @Test
  void spacesAtTheEndOfTheContextBelongToTheChoice() {
    ChoiceScorer scorer = new ChoiceScorer(model, exits, device);
    ChoiceScorer.Pair a = scorer.pair(item("The fox", 0, "ran", "sat"), "ran");
    ChoiceScorer.Pair b =
        scorer.pair(new TaskItem.Choice("t", "1", "The fox ", "", List.of("ran", "sat"), 0), "ran");
    assertThat(a.ids()).containsExactly(b.ids());
    assertThat(a.given()).isEqualTo(b.given());
    assertThat(model.tokenizer().decode(Arrays.copyOfRange(a.ids(), a.given(), a.ids().length)))
        .isEqualTo(" ran");
    assertThat(scorer.score(item("The fox", 0, "ran", "sat")).keySet())
        .containsExactly("1", "final");
  }

  @Test
  void ofALongContextTheEndIsKeptAndATooLongChoiceIsRefused() {
    ChoiceScorer scorer = new ChoiceScorer(model, exits, device);
    ChoiceScorer.Pair p = scorer.pair(item(TinyModel.TEXT.repeat(3), 0, "ran", "sat"), "ran");
    assertThat(p.ids()).hasSize(TinyModel.CONTEXT + 1);
    assertThat(model.tokenizer().decode(Arrays.copyOfRange(p.ids(), p.given(), p.ids().length)))
        .endsWith("ran");
    TaskItem.Choice item = item("The fox", 0, TinyModel.TEXT.repeat(3), "sat");
    assertThatThrownBy(() -> scorer.score(item))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("item 1 of task t")
        .hasMessageContaining("context of 48");
  }
}

package dev.sortie.benchmarks.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class StorySetContractTest {
  private static Model fable;

  @BeforeAll
  static void load() {
    fable = Sortie.load("fable");
  }

  @AfterAll
  static void close() {
    fable.close();
  }

  private static StorySet of(String... stories) {
    return new StorySet("some", List.of(stories), OptionalInt.empty());
  }

  @Test
  void eachStoryCountsTheSameForWordsAndRepetition() {
    StorySet set = of("One hen sat.", "A hen, a hen, a hen, a hen");
    assertThat(set.words()).isEqualTo(5.5);
    // "a hen a hen" three times and "hen a hen a" twice are five 4-grams, three of them known
    assertThat(set.repeated()).isEqualTo(0.3);
  }

  @Test
  void theJudgesNatsAreThoseOfAllTokens() {
    List<String> stories = List.of("The fox ran.", "Once there was a hen who had a green hat.");
    try (Device device = Device.named("cpu", 1)) {
      TextScorer scorer = new TextScorer(fable.languageModel(), Exits.none(), device);
      double together =
          scorer.score(stories, TextScorer.Progress.NONE).heads().get(ExitKeys.FINAL).nll();
      StorySet set = of(stories.toArray(String[]::new));
      assertThat(set.nll(fable)).isCloseTo(together, within(1e-5));
    }
  }

  @Test
  void aStoryIsItsBeginningAndWhatTheModelWrites() {
    List<String> beginnings = List.of("Once upon a time", "One day, a curious fox");
    StorySet set = StoryWay.GREEDY.write(fable, beginnings);
    assertThat(set.stories()).hasSize(2);
    assertThat(set.stories().getLast()).startsWith("One day, a curious fox");
    assertThat(fable.tokenizer().encode(set.stories().getFirst()).length).isBetween(40, 260);
    assertThat(StoryWay.GREEDY.write(fable, beginnings)).isEqualTo(set);
    StorySet drawn = StoryWay.SAMPLED.write(fable, beginnings);
    assertThat(drawn.stories()).doesNotContainAnyElementsOf(set.stories());
  }

  @Test
  void aBeginningThatFillsTheContextIsRefused() {
    String beginning = "hen ".repeat(256);
    assertThatThrownBy(() -> StoryWay.GREEDY.write(fable, List.of(beginning)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("context of 256");
  }
}

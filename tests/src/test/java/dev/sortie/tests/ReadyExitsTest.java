package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.TextOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.nn.text.chat.ChatMessage;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The exits that come with Sortie, on their models. */
class ReadyExitsTest {
  /** Enough for what is shown, and few enough for the scalar reference. */
  private static final int TOKENS = 40;

  @Test
  void tokensOfFableLeaveAtThemAndTheyFollowWhatItSays() {
    Path exits = Sortie.exits("fable");
    try (Model model = Sortie.load("fable")) {
      Strategy early = model.calibrated(exits, exits.resolve("thresholds.json"));
      String opening = "Once upon a time, there was a little girl named Lily.";
      Generation story =
          model.generate(opening, TextOptions.atMost(TOKENS).strategy(early)).forEach(t -> {});
      assertTokensLeave(story);
      assertAgreement(model, exits, opening + story.text(), "3", 0.5);
    }
  }

  @Test
  @Tag("slow")
  void tokensOfSmolLm2LeaveAtThemAndTheyFollowWhatItSays() {
    Path folder = Fixture.shared("models/SmolLM2-135M-Instruct");
    Path exits = Sortie.exits("smollm2");
    try (Model model = Sortie.load(folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf"))) {
      Strategy early = model.calibrated(exits, exits.resolve("thresholds.json"));
      List<ChatMessage> asked =
          List.of(ChatMessage.of("user", "Give me five tips to write a clear email."));
      Generation answer =
          model.answer(asked, TextOptions.atMost(TOKENS).strategy(early)).forEach(t -> {});
      assertTokensLeave(answer);
      assertAgreement(model, exits, answer.text(), "24", 0.4);
    }
  }

  private static void assertTokensLeave(Generation text) {
    assertThat(text.tokens().stream().filter(t -> t.exit().isPresent()))
        .as("tokens that left early")
        .hasSizeGreaterThan(TOKENS / 4);
  }

  private static void assertAgreement(
      Model model, Path exits, String text, String depth, double least) {
    assertThat(model.score(text, model.exits(exits)).heads().get(depth).agreement())
        .as("share of tokens at which exit %s says what the final layer says", depth)
        .isGreaterThan(least);
  }
}

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

/** The exits that come with Sortie, on their model. */
@Tag("slow")
class ReadyExitsTest {
  /** Enough for what is shown, and few enough for the scalar reference. */
  private static final int TOKENS = 40;

  @Test
  void tokensLeaveAtThemAndTheyFollowWhatTheModelSays() {
    Path folder = Fixture.shared("models/SmolLM2-135M-Instruct");
    Path exits = Sortie.exits("smollm2");
    try (Model model = Sortie.load(folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf"))) {
      Strategy early = model.calibrated(exits, exits.resolve("thresholds.json"));
      List<ChatMessage> asked =
          List.of(ChatMessage.of("user", "Give me five tips to write a clear email."));
      Generation answer =
          model.answer(asked, TextOptions.atMost(TOKENS).strategy(early)).forEach(t -> {});
      assertThat(answer.tokens().stream().filter(t -> t.exit().isPresent()))
          .as("tokens that left early")
          .hasSizeGreaterThan(TOKENS / 4);
      assertThat(model.score(answer.text(), model.exits(exits)).heads().get("24").agreement())
          .as("share of tokens of the answer at which exit 24 says what the final layer says")
          .isGreaterThan(0.4);
    }
  }
}

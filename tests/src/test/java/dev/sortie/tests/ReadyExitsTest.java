package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.TextOptions;
import dev.sortie.nn.text.chat.ChatMessage;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The exits that come with Sortie, on their model. */
@Tag("slow")
class ReadyExitsTest {
  private static final List<String> QUESTIONS =
      List.of(
          "How do kites stay in the air?",
          "Write a short story about a clockmaker and a goose.",
          "Give me five tips to write a clear email.");

  @Test
  void theyFollowWhatTheModelSaysAndTokensLeaveAtThem() {
    Path folder = Fixture.shared("models/SmolLM2-135M-Instruct");
    Path exits = Sortie.exits("smollm2");
    try (Model model = Sortie.load(folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf"))) {
      Strategy early = model.calibrated(exits, exits.resolve("thresholds.json"));
      StringBuilder said = new StringBuilder();
      long left = 0;
      for (String question : QUESTIONS) {
        List<ChatMessage> asked = List.of(ChatMessage.of("user", question));
        said.append(model.answer(asked, TextOptions.atMost(96)).text()).append('\n');
        left +=
            model
                .answer(asked, TextOptions.atMost(96).strategy(early))
                .forEach(t -> {})
                .tokens()
                .stream()
                .filter(t -> t.exit().isPresent())
                .count();
      }
      assertThat(left).as("tokens that left early").isGreaterThan(30);
      assertThat(model.score(said.toString(), model.exits(exits)).heads().get("24").agreement())
          .isGreaterThan(0.5);
    }
  }
}

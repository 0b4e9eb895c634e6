package dev.sortie.eetuning.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.calibrate.HeldOutSequence.Kind;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TracerContractTest {
  private static final int[] PROMPT = {5, 6, 7};

  @TempDir private Path folder;

  /** The end of a turn stands in the model's settings for generation alone. */
  @Test
  void anAnswerToAQuestionEndsWhereAnswersOfChatDo() throws IOException {
    try (Device device = Device.cpu(1);
        LanguageModel model =
            LanguageModel.load(TinyModel.write(folder, 1), Precision.F32, device)) {
      int[] continued = answered(model, device, Kind.PROMPT);
      assertThat(continued).hasSize(PROMPT.length + 12);
      int end = continued[PROMPT.length + 4];
      Files.writeString(
          folder.resolve("generation_config.json"), "{\"eos_token_id\": [%d]}".formatted(end));
      assertThat(answered(model, device, Kind.PROMPT)).isEqualTo(continued);
      int[] answer = answered(model, device, Kind.QUESTION);
      assertThat(answer).isEqualTo(Arrays.copyOf(continued, answer.length)).endsWith(end);
      assertThat(answer.length).isLessThanOrEqualTo(PROMPT.length + 5);
    }
  }

  private static int[] answered(LanguageModel model, Device device, Kind kind) {
    return new Tracer(model, Exits.none(), device, 12)
        .trace(new HeldOutSequence(PROMPT, kind))
        .orElseThrow()
        .text();
  }
}

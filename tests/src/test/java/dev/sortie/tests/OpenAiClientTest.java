package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.host.Fable;
import dev.sortie.eetuning.serve.TextServer;
import dev.sortie.eetuning.serve.api.AccessLog;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.api.ServedModel;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.device.Device;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The official {@code openai} package for Python, unchanged, against the embedded model: chat,
 * completions, responses, structured output, embeddings, models and errors. {@code SORTIE_OPENAI}
 * names a Python that has it.
 */
@Tag("any-kernels")
class OpenAiClientTest {
  private static final Path SCRIPT = Path.of("src/test/resources/clients/openai_client.py");

  @Test
  void theOfficialClientFindsAllAsItShouldBe() throws Exception {
    String python = System.getenv("SORTIE_OPENAI");
    assumeTrue(
        python != null,
        "SORTIE_OPENAI names no Python with the openai package: python3 -m venv DIR, DIR/bin/pip"
            + " install openai, SORTIE_OPENAI=DIR/bin/python");
    try (Device device = Device.cpu(2);
        LanguageModel model = LanguageModel.load(Fable.folder(), Precision.FILE, device)) {
      TextEngine engine =
          new TextEngine(model, Exits.none(), device, new EngineSettings(8, 8, 4096));
      ChatTemplate template =
          ChatTemplate.of(
              "{% for m in messages %}{{ m.content }} {% endfor %}", "template", Map.of());
      ServedModel served =
          new ServedModel("fable", engine, Optional.of(template), new MaxProbability(1), 64, 1);
      HttpSettings http = new HttpSettings("127.0.0.1", 0, Optional.empty(), HttpLimits.DEFAULT);
      try (TextServer server =
          TextServer.start(served, http, ApiKeys.none(), AccessLog.NONE, Duration.ofSeconds(60))) {
        server.warmUp();
        Process client =
            new ProcessBuilder(
                    python, SCRIPT.toString(), "http://127.0.0.1:" + server.port(), "fable")
                .redirectErrorStream(true)
                .start();
        String said = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(client.exitValue()).as(said).isZero();
        assertThat(said.lines()).hasSize(7);
      }
    }
  }
}

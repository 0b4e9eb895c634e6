package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The official {@code openai} packages, unchanged, against the embedded model: chat, completions,
 * responses, structured output, embeddings, models and errors. {@code SORTIE_OPENAI} names a Python
 * that has the package, {@code SORTIE_OPENAI_NODE} a folder into which npm installed it.
 */
@Tag("any-kernels")
class OpenAiClientTest {

  @Test
  void theClientForPythonFindsAllAsItShouldBe() throws Exception {
    String python = System.getenv("SORTIE_OPENAI");
    assumeTrue(
        python != null,
        "SORTIE_OPENAI names no Python with the openai package: python3 -m venv DIR, DIR/bin/pip"
            + " install openai, SORTIE_OPENAI=DIR/bin/python");
    findsAllAsItShouldBe(Map.of(), python, "src/test/resources/clients/openai_client.py");
  }

  @Test
  void theClientForNodeFindsAllAsItShouldBe() throws Exception {
    String folder = System.getenv("SORTIE_OPENAI_NODE");
    assumeTrue(
        folder != null,
        "SORTIE_OPENAI_NODE names no folder with the openai package: npm install --prefix DIR"
            + " openai zod, SORTIE_OPENAI_NODE=DIR");
    findsAllAsItShouldBe(
        Map.of("NODE_PATH", folder + "/node_modules"),
        "node",
        "src/test/resources/clients/openai_client.cjs");
  }

  private static void findsAllAsItShouldBe(
      Map<String, String> environment, String program, String script) throws Exception {
    try (ServedFable served = ServedFable.start()) {
      ProcessBuilder builder =
          new ProcessBuilder(program, script, served.url(), ServedFable.NAME)
              .redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process client = builder.start();
      String said = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(client.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(client.exitValue()).as(said).isZero();
      assertThat(said.lines()).hasSize(7);
    }
  }
}

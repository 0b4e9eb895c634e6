package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.eval.ChoiceScorer;
import dev.sortie.eetuning.eval.ChoiceScorer.Accuracy;
import dev.sortie.eetuning.eval.task.TaskFile;
import dev.sortie.eetuning.eval.task.TaskItem;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * EleutherAI's harness, unchanged, scores the task of {@code examples/lm-eval} through the server
 * as {@code eval} does without one. {@code SORTIE_LM_EVAL} names its program.
 */
@Tag("any-kernels")
class LmEvalTest {
  private static final Path TASKS = Path.of("..", "examples", "lm-eval");

  @TempDir private Path out;

  @Test
  void theHarnessGivesTheScoresOfEval() throws Exception {
    String program = System.getenv("SORTIE_LM_EVAL");
    assumeTrue(
        program != null,
        "SORTIE_LM_EVAL names no lm_eval: python3 -m venv DIR, DIR/bin/pip install"
            + " 'lm_eval[api]', SORTIE_LM_EVAL=DIR/bin/lm_eval");
    try (ServedFable served = ServedFable.start()) {
      ProcessBuilder builder =
          new ProcessBuilder(
                  program,
                  "run",
                  "--model",
                  "local-completions",
                  "--model_args",
                  "base_url=%s/v1/completions,model=%s,max_length=256"
                      .formatted(served.url(), ServedFable.NAME),
                  "--include_path",
                  ".",
                  "--tasks",
                  "tales",
                  "--output_path",
                  out.toAbsolutePath().toString())
              .directory(TASKS.toFile())
              .redirectErrorStream(true);
      builder.environment().put("HF_HUB_OFFLINE", "1");
      builder.environment().put("HF_HOME", out.toAbsolutePath().resolve("cache").toString());
      Process harness = builder.start();
      String said = new String(harness.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(harness.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(harness.exitValue()).as(said).isZero();

      ChoiceScorer scorer = new ChoiceScorer(served.model(), Exits.none(), served.device());
      List<TaskItem> items = TaskFile.read(TASKS.resolve("tales.jsonl"), 16);
      Accuracy ours =
          Accuracy.mean(
              items.stream()
                  .map(item -> scorer.score((TaskItem.Choice) item).get("final"))
                  .toList());
      JsonObject theirs = results().getObject("results").getObject("tales");
      assertThat(theirs.getDouble("acc,none", 0, 1)).isEqualTo(ours.acc());
      assertThat(theirs.getDouble("acc_norm,none", 0, 1)).isEqualTo(ours.accNorm());
      assertThat(theirs.getDouble("acc_bytes,none", 0, 1)).isEqualTo(ours.accBytes());
      assertThat(ours.acc()).isStrictlyBetween(0.5, 1.0);
    }
  }

  private JsonObject results() throws IOException {
    try (Stream<Path> files = Files.walk(out)) {
      return Json.read(
          files
              .filter(file -> file.getFileName().toString().startsWith("results_"))
              .findFirst()
              .orElseThrow());
    }
  }
}

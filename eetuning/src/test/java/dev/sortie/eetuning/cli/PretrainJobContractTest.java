package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.parallel.launch.Launcher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code pretrain} as several processes, and with exits. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
@Tag("any-kernels")
@Tag("slow")
class PretrainJobContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Path data;
  private static Path alone;
  private static JsonObject result;

  private final Queue<String> out = new ConcurrentLinkedQueue<>();
  private final Queue<String> err = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void trainAlone() throws IOException {
    data = Files.writeString(shared.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    alone = shared.resolve("alone");
    result = CommandLineRun.of(pretrain(alone)).json();
  }

  private static String[] pretrain(Path to, String... more) {
    return pretrain(to, 6, more);
  }

  private static String[] pretrain(Path to, int steps, String... more) {
    List<String> words = new ArrayList<>(List.of("pretrain", "--threads", "1", "--json"));
    words.addAll(List.of("--data", data.toString(), "--out", to.toString()));
    words.addAll(List.of("--layers", "4", "--hidden", "24", "--heads", "4", "--ffn", "32"));
    words.addAll(
        List.of("--vocab", "280", "--steps", steps + "", "--seq-len", "16", "--lr", "0.01"));
    words.addAll(List.of("--micro-batch", "2", "--global-batch", "8", "--checkpoint-every", "3"));
    words.addAll(List.of("--exits-at", "1,3", "--arch", "mlp", "--exit-weight", "1=0.5"));
    words.addAll(List.of("--exit-weight-start", "0.1", "--exit-weight-steps", "4"));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  private int launch(int ranks, int restarts, String... words) throws InterruptedException {
    Launcher.Options options =
        new Launcher.Options(
            ranks,
            CommandLineProcess.command(words),
            restarts,
            Duration.ZERO,
            Duration.ofSeconds(10));
    return new Launcher(options, p -> out.add(p.toString()), p -> err.add(p.toString())).run();
  }

  @Test
  void theModelAndItsExitsDecode() {
    assertThat(result.getObject("losses").fields()).containsOnlyKeys("1", "3", "final");
    JsonObject text =
        CommandLineRun.of(
                "generate",
                "--threads",
                "1",
                "--model",
                alone.toString(),
                "--exits",
                alone.toString(),
                "--strategy",
                "early-exit",
                "--threshold",
                "0",
                "--prompt",
                "The fox",
                "--max-tokens",
                "5",
                "--ignore-eos",
                "--json")
            .json();
    assertThat(text.getObjects("tokens")).hasSize(5);
    assertThat(text.getObjects("tokens").get(1).getInt("exit", 0, 4)).isEqualTo(1);
  }

  @Test
  void fourRanksGiveTheBytesOfOneAndTheScheduleIsDrawn() throws Exception {
    Path folder = temp.resolve("job");
    Path plot = temp.resolve("schedule.svg");
    String[] words =
        pretrain(
            folder, "--dp", "2", "--pp", "2", "--stage-split", "1", "--plot-schedule", plot + "");
    assertThat(launch(4, 0, words)).as(String.join("\n", err)).isZero();
    for (String file : List.of("model.safetensors", "exits.safetensors", "tokenizer.json")) {
      assertThat(Sha256.of(folder.resolve(file))).isEqualTo(Sha256.of(alone.resolve(file)));
    }
    assertThat(out)
        .hasSize(1)
        .first()
        .asString()
        .startsWith("[0] {")
        .contains(result.getString("model_sha256"), result.getString("exits_sha256"));
    assertThat(err).noneMatch(line -> line.startsWith("[3] ") && !line.contains("WARNING"));
    assertThat(Files.readString(plot))
        .contains("planned, busy", "measured, busy", "stage 1", "forward 11", "backward 11");
    // the same command as one rank finds the run done
    assertThat(CommandLineRun.of(pretrain(folder)).json().getString("model_sha256"))
        .isEqualTo(result.getString("model_sha256"));
  }

  private static String[] continued(Path to, String... more) {
    List<String> words = new ArrayList<>(List.of("pretrain", "--threads", "1", "--json"));
    words.addAll(List.of("--model", alone.toString(), "--data", data.toString()));
    words.addAll(List.of("--out", to.toString(), "--steps", "4", "--seq-len", "16"));
    words.addAll(List.of("--micro-batch", "2", "--global-batch", "8"));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  @Test
  void fourRanksContinueTheTrainingOfAModelAsOneDoes() throws Exception {
    Path one = temp.resolve("one");
    Path four = temp.resolve("four");
    CommandLineRun.of(continued(one)).succeeded();
    assertThat(launch(4, 0, continued(four, "--dp", "2", "--pp", "2")))
        .as(String.join("\n", err))
        .isZero();
    for (String file : List.of("model.safetensors", "config.json", "tokenizer.json")) {
      assertThat(four.resolve(file)).hasSameBinaryContentAs(one.resolve(file));
    }
    assertThat(one.resolve("model.safetensors").toFile())
        .hasSize(Files.size(alone.resolve("model.safetensors")));
    assertThat(launch(2, 0, continued(temp.resolve("shards"), "--tp", "2")))
        .as(String.join("\n", err))
        .isZero();
    CommandLineRun.of(continued(temp.resolve("exits"), "--exits-at", "1", "--pp", "2"))
        .assertRefused(2, "--pp 2 with --model and --exits-at");
  }

  /** Kill -9 of the last stage after the first checkpoint; the launcher starts both again. */
  @Test
  void aKilledRankCostsNoBits() throws Exception {
    Path folder = temp.resolve("job");
    Path undisturbed = temp.resolve("undisturbed");
    CommandLineRun.of(pretrain(undisturbed, 30)).succeeded();
    try (ExecutorService background = Executors.newSingleThreadExecutor()) {
      Future<Integer> job =
          background.submit(
              () ->
                  launch(
                      2,
                      1,
                      pretrain(
                          folder,
                          30,
                          "--pp",
                          "2",
                          "--schedule",
                          "gpipe",
                          "--stage-split",
                          "counted")));
      Path description = folder.resolve("checkpoints/step-000003/state.json");
      while (!Files.exists(description) && !job.isDone()) {
        Thread.sleep(1);
      }
      TuneJobContractTest.ranks().get(1).destroyForcibly();
      assertThat(job.get()).as(String.join("\n", err)).isZero();
    }
    assertThat(err).anyMatch(line -> line.equals("launch: restart 1 of 1 in 0.0 s"));
    assertThat(err).anyMatch(line -> line.contains("resumes from the checkpoint after step"));
    for (String file : List.of("model.safetensors", "exits.safetensors")) {
      assertThat(Sha256.of(folder.resolve(file))).isEqualTo(Sha256.of(undisturbed.resolve(file)));
    }
  }

  @Test
  void ranksThatShareTheWeightsWriteAWholeModel() throws Exception {
    Path folder = temp.resolve("job");
    String[] words = pretrain(folder, "--tp", "2", "--sequence-parallel");
    assertThat(launch(2, 0, words)).as(String.join("\n", err)).isZero();
    assertThat(Files.size(folder.resolve("model.safetensors")))
        .isEqualTo(Files.size(alone.resolve("model.safetensors")));
    CommandLineRun.of(
            "score",
            "--threads",
            "1",
            "--model",
            folder.toString(),
            "--exits",
            folder.toString(),
            "--file",
            data.toString())
        .succeeded();
  }

  @Test
  void whatCannotWorkIsRefusedBeforeAnythingIsWritten() {
    Path folder = temp.resolve("job");
    CommandLineRun.of(pretrain(folder, "--dp", "2")).assertRefused(1, "no rank of a job", "launch");
    CommandLineRun.of(pretrain(folder, "--dp", "3"))
        .assertRefused(2, "--dp 3 does not divide the 4 micro-batches");
    CommandLineRun.of(pretrain(folder, "--pp", "5"))
        .assertRefused(1, "--pp 5 is more than the 4 layers");
    CommandLineRun.of(pretrain(folder, "--stage-split", "2"))
        .assertRefused(2, "--stage-split 2 is for a pipeline");
    CommandLineRun.of(pretrain(folder, "--pp", "2", "--stage-split", "even"))
        .assertRefused(2, "--stage-split 'even'", "measured, counted");
    CommandLineRun.of(pretrain(folder, "--pp", "2", "--tp", "2", "--stage-split", "measured"))
        .assertRefused(2, "--stage-split measured", "--tp 2");
    CommandLineRun.of(pretrain(folder, "--schedule", "2f2b"))
        .assertRefused(2, "--schedule '2f2b'", "gpipe, 1f1b or interleaved");
    CommandLineRun.of(pretrain(folder, "--chunks", "2"))
        .assertRefused(2, "--chunks 2", "interleaved");
    CommandLineRun.of(pretrain(folder, "--plot-schedule", "x.svg"))
        .assertRefused(2, "--plot-schedule x.svg", "--pp 2");
    CommandLineRun.of(pretrain(folder, "--exit-weight", "2=0.5"))
        .assertRefused(2, "--exit-weight names depths [2], which have no exit", "[1, 3]");
    CommandLineRun.of(pretrain(folder, "--exit-weight", "3=0"))
        .assertRefused(2, "--exit-weight 3=0.0 must be positive");
    CommandLineRun.of(pretrain(folder, "--tp", "3", "--sequence-parallel"))
        .assertRefused(2, "--sequence-parallel with --tp 3 and --seq-len 16");
    assertThat(folder).doesNotExist();
  }
}

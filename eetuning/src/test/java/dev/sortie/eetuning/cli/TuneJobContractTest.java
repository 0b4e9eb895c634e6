package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.parallel.launch.Launcher;
import dev.sortie.tensor.Random;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code tune} as several processes. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
@Tag("any-kernels")
@Tag("slow")
class TuneJobContractTest {
  private static final int STEPS = 40;

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Path model;
  private static Path data;
  private static Path exits;
  private static String alone;
  private static JsonObject result;

  private final Queue<String> out = new ConcurrentLinkedQueue<>();
  private final Queue<String> err = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void tuneAlone() throws IOException {
    model = TinyModel.write(shared.resolve("model"), 4, 32, 290, 1);
    data = Files.writeString(shared.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    exits = shared.resolve("exits");
    CommandLineRun.of(
            "add-exits",
            "--model",
            model.toString(),
            "--at",
            "1,3",
            "--out",
            exits.toString(),
            "--threads",
            "1")
        .succeeded();
    result = CommandLineRun.of(tune(shared.resolve("alone"))).json();
    alone = result.getString("exits_sha256");
  }

  private static String[] tune(Path to, String... more) {
    List<String> words = new ArrayList<>(List.of("tune", "--threads", "1", "--json"));
    words.addAll(List.of("--model", model.toString(), "--exits", exits.toString()));
    words.addAll(List.of("--data", data.toString(), "--out", to.toString()));
    words.addAll(List.of("--steps", STEPS + "", "--seq-len", "24", "--lr", "0.01"));
    words.addAll(List.of("--micro-batch", "2", "--global-batch", "8"));
    words.addAll(List.of("--held-out", "0.1", "--checkpoint-every", "5", "--gate-tokens", "500"));
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

  private void assertSameAsAlone(Path folder, int code) {
    assertThat(code).as(String.join("\n", err)).isZero();
    assertThat(Sha256.of(folder.resolve(ExitsFile.TENSORS))).isEqualTo(alone);
    // one of the ranks speaks
    assertThat(out).hasSize(1).first().asString().startsWith("[0] {").contains(alone);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--dp 2", "--pp 2", "--pp 2 --stage-split 1"})
  void twoRanksGiveTheBytesOfOneAndRankZeroAloneSpeaks(String layout) throws Exception {
    Path job = temp.resolve("job");
    assertSameAsAlone(job, launch(2, 0, tune(job, layout.split(" "))));
    assertThat(err).noneMatch(line -> line.startsWith("[1] ") && !line.contains("WARNING"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--tp 2", "--tp 2 --pp 2 --sequence-parallel"})
  void ranksThatShareTheWeightsLearnTheSameButForRounding(String layout) throws Exception {
    Path folder = temp.resolve("job");
    int ranks = layout.contains("--pp") ? 4 : 2;
    assertThat(launch(ranks, 0, tune(folder, layout.split(" "))))
        .as(String.join("\n", err))
        .isZero();
    assertThat(out).hasSize(1).first().asString().startsWith("[0] {");
    JsonObject json = Json.parse("standard output", out.element().substring(4), JsonLimits.DATA);
    for (String losses : List.of("losses", "validation")) {
      for (String exit : List.of("1", "3")) {
        double expected = result.getObject(losses).getDouble(exit, 0, 100);
        assertThat(json.getObject(losses).getDouble(exit, 0, 100))
            .as(losses + " of exit " + exit)
            .isCloseTo(expected, within(1e-4 * expected));
      }
    }
    CommandLineRun.of(
            "generate",
            "--threads",
            "1",
            "--model",
            model.toString(),
            "--exits",
            folder.toString(),
            "--prompt",
            "The fox",
            "--max-tokens",
            "5")
        .succeeded();
    assertThat(err).noneMatch(line -> line.startsWith("[1] ") && !line.contains("WARNING"));
  }

  @Test
  void tokensThatCannotBeSharedOutAreRefused() {
    CommandLineRun.of(tune(temp.resolve("job"), "--tp", "5", "--sequence-parallel"))
        .assertRefused(2, "--sequence-parallel with --tp 5 and --seq-len 24", "a multiple");
  }

  /** Kill -9 after some checkpoint, of each rank by turns; the launcher starts all again. */
  @ParameterizedTest
  @CsvSource({"--dp, 0", "--pp, 1"})
  void aKilledRankCostsNoBits(String axis, int victim) throws Exception {
    Path folder = temp.resolve("job");
    int after = 5 * (1 + new Random(victim, 0).below(0, 5));
    try (ExecutorService background = Executors.newSingleThreadExecutor()) {
      Future<Integer> job = background.submit(() -> launch(2, 1, tune(folder, axis, "2")));
      Path description = folder.resolve("checkpoints/step-%06d/state.json".formatted(after));
      while (!Files.exists(description) && !job.isDone()) {
        Thread.sleep(1);
      }
      ranks().get(victim).destroyForcibly();
      assertSameAsAlone(folder, job.get());
    }
    assertThat(err).anyMatch(line -> line.equals("launch: restart 1 of 1 in 0.0 s"));
    assertThat(err).anyMatch(line -> line.contains("resumes from the checkpoint after step"));
  }

  /** The running ranks, as they were started; the launcher's guard is a child too, a shell. */
  static List<ProcessHandle> ranks() {
    return ProcessHandle.current()
        .children()
        .filter(child -> child.info().command().filter(c -> c.endsWith("java")).isPresent())
        .sorted(Comparator.comparingLong(ProcessHandle::pid))
        .toList();
  }

  @Test
  void aJobOfAnotherSizeIsRefusedByEachRankInOneLine() throws Exception {
    assertThat(launch(2, 0, tune(temp.resolve("job"), "--dp", "4"))).isEqualTo(1);
    assertThat(err)
        .anyMatch(
            line ->
                line.contains("sortie: --tp 1, --dp 4 and --pp 1 need 4 ranks, this job has 2"));
    assertThat(launch(2, 0, tune(temp.resolve("job")))).isEqualTo(1);
    assertThat(err)
        .anyMatch(line -> line.contains("--tp 1, --dp 1 and --pp 1 need 1 ranks, this job has 2"));
    assertThat(temp.resolve("job")).doesNotExist();
  }

  /** Costs of stages are measured, and written, before anything else. */
  @Test
  void aSecondJobIntoTheSameFolderWritesNothing() throws Exception {
    Path job = temp.resolve("job");
    Files.createDirectory(job);
    Path split =
        Files.writeString(job.resolve("stage-split.json"), "{\"of\": {}, \"seconds\": {}}");
    byte[] first = Files.readAllBytes(split);
    try (OutputFolder held = new OutputFolder(job)) {
      held.open();
      assertThat(launch(2, 0, tune(job, "--pp", "2"))).isEqualTo(1);
    }
    assertThat(err).anyMatch(line -> line.contains("writes here"));
    assertThat(split).hasBinaryContent(first);
  }

  @Test
  void aNumberOfReplicasWithoutAJobIsRefused() {
    CommandLineRun.of(tune(temp.resolve("job"), "--dp", "2"))
        .assertRefused(1, "no rank of a job", "launch");
  }

  @Test
  void aDryRunPlansEachRankAndTrainsNothing() {
    Path folder = temp.resolve("job");
    JsonObject plan = CommandLineRun.of(tune(folder, "--dp", "2", "--pp", "2", "--dry-run")).json();
    List<JsonObject> ranks = plan.getObjects("ranks");
    assertThat(ranks).hasSize(4);
    assertThat(ranks.stream().map(r -> r.getInt("stage", 0, 1))).containsExactly(0, 0, 1, 1);
    for (JsonObject rank : ranks) {
      assertThat(rank.getInt("largest_micro_batch", 0, Integer.MAX_VALUE)).isGreaterThan(100);
    }
    assertThat(folder).doesNotExist();
  }

  @Test
  void aDryRunHasTheStagesThatAreGiven() {
    Path folder = temp.resolve("job");
    List<Long> first =
        Stream.of("1", "2")
            .map(split -> tune(folder, "--pp", "2", "--dry-run", "--stage-split", split))
            .map(words -> CommandLineRun.of(words).json().getObjects("ranks").getFirst())
            .map(rank -> rank.getLong("weights_bytes", 0, Long.MAX_VALUE))
            .toList();
    assertThat(first.get(1)).isGreaterThan(first.get(0));
    CommandLineRun.of(tune(folder, "--pp", "2", "--dry-run", "--stage-split", "99"))
        .assertRefused(1, "--stage-split 99: take 1 ascending numbers");
  }

  @Test
  void theNewestCheckpointIsCheckedAndWrittenForAnotherLayout() {
    String run = shared.resolve("alone").toString();
    JsonObject checked = CommandLineRun.of("reshard", "--run", run, "--json").json();
    assertThat(checked.getInt("step", 0, 1000)).isEqualTo(STEPS);
    assertThat(checked.getObject("files").fields().keySet()).containsExactly("state.safetensors");
    String[] write = {
      "reshard", "--run", run, "--out", temp.resolve("two").toString(), "--tp", "2", "--json"
    };
    JsonObject written = CommandLineRun.of(write).json();
    assertThat(written.getObject("files").fields()).hasSize(2);
    assertThat(written.getInt("elements", 1, Integer.MAX_VALUE))
        .isEqualTo(checked.getInt("elements", 1, Integer.MAX_VALUE));
    CommandLineRun.of(write)
        .assertRefused(1, "two/checkpoints/step-%06d: is there already".formatted(STEPS));
    CommandLineRun.of("reshard", "--run", run, "--tp", "2").assertRefused(2, "give --out");
    CommandLineRun.of("reshard", "--run", temp.toString())
        .assertRefused(1, temp + ": has no whole checkpoint");
    CommandLineRun.of("reshard", "--run", temp.resolve("absent").toString())
        .assertRefused(1, "absent: no such folder; name the folder of a run");
  }

  @Test
  void theScheduleIsDrawnForAPipelineOnly() throws Exception {
    Path plot = temp.resolve("schedule.svg");
    CommandLineRun.of(tune(temp.resolve("one"), "--plot-schedule", plot.toString()))
        .assertRefused(2, "--plot-schedule", "--pp 2");
    int code =
        launch(
            4,
            0,
            tune(
                temp.resolve("job"), "--tp", "2", "--pp", "2", "--plot-schedule", plot.toString()));
    assertThat(code).as(String.join("\n", err)).isZero();
    String drawn = Files.readString(plot);
    assertThat(drawn)
        .contains("planned, busy", "measured, busy", "stage 1", "forward 159", "train 159");
    // micro-batches have the same numbers in the plan and in the measurement
    assertThat(drawn.split("stage 0, forward 159:", -1)).hasSize(1 + 2);
  }
}

package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.train.AuditForgery;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.parallel.launch.Launcher;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --audit} of commands that train, and {@code audit verify}. */
class AuditCommandContractTest {
  private static final String PRETRAIN =
      "pretrain --threads 1 --data %s --out %s --audit %s --vocab 270 --layers 2 --hidden 16 --heads 2 --kv-heads 1 --ffn 32 --seq-len 16 --micro-batch 2 --global-batch 4 --steps 4 --checkpoint-every 2 --dropout 0.1 --exits-at 1 --arch norm";

  /** Of a run of {@link TinyCommands#tune}. */
  private static final int LENGTH = 16;

  private static final int SEQUENCES = 4;

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  /** A run of 4 steps with checkpoints after 2 and 4. */
  private static Path honestRun;

  private static Path honest;
  private static JsonObject result;

  @BeforeAll
  static void tune() throws IOException {
    tiny = TinyCommands.in(shared);
    honestRun = shared.resolve("run");
    honest = honestRun.resolve("audit.jsonl");
    result = tiny.tune(tiny.exits(), honestRun, "--json --audit " + honest).json();
  }

  /** A copy of the run, to be changed. */
  private Path copy() throws IOException {
    Path to = temp.resolve("copy");
    try (Stream<Path> files = Files.walk(honestRun)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(honestRun.relativize(file).toString()));
      }
    }
    return to;
  }

  private static CommandLineRun verify(Path record, String more) {
    return CommandLineRun.line("audit verify %s --threads 1" + more, record);
  }

  private static void assertNo(CommandLineRun run, String... parts) {
    assertThat(run.code()).as(run.err() + run.out()).isEqualTo(1);
    assertThat(run.out().lines().toList().getLast()).contains(parts);
    assertThat(run.out()).doesNotContain("agree with the record");
  }

  @Test
  void anHonestRunIsAcceptedStepByStep() {
    CommandLineRun run = verify(honest, "").succeeded();
    assertThat(run.out().lines())
        .containsExactly(
            "step 1: yes",
            "step 2: yes",
            "step 3: yes",
            "step 4: yes",
            "steps 1 to 4 agree with the record");
    assertThat(run.err()).contains("4 steps, chain intact", result.getString("audit_sha256"));
    JsonObject json = verify(honest, " --json").json();
    assertThat(json.getBoolean("agrees")).isTrue();
    assertThat(json.getInt("agreed_to", 4, 4)).isEqualTo(4);
    assertThat(json.getString("audit_sha256")).isEqualTo(result.getString("audit_sha256"));
    assertThat(honestRun).isDirectoryNotContaining("glob:**.audit-replay-*");
  }

  @Test
  void theReplayOfSomeStepsBeginsAtTheCheckpointBefore() {
    CommandLineRun run = verify(honest, " --steps 4").succeeded();
    assertThat(run.err()).contains("begins at the checkpoint after step 2");
    assertThat(run.out().lines())
        .containsExactly("step 3: yes", "step 4: yes", "steps 3 to 4 agree with the record");
    assertThat(verify(honest, " --steps 1..2").succeeded().err()).contains("begins with step 1");
  }

  @Test
  void theTrainedBitsAreThoseOfARunWithoutARecord() {
    assertThat(
            tiny.tune(tiny.exits(), temp.resolve("plain"), "--json")
                .json()
                .getString("exits_sha256"))
        .isEqualTo(result.getString("exits_sha256"));
  }

  @Test
  void eachLineHasTheHashOfTheLineBefore() throws IOException {
    List<String> lines = Files.readAllLines(honest);
    assertThat(lines).hasSize(5);
    for (int i = 1; i < lines.size(); i++) {
      JsonObject line = Json.parse("line " + i, lines.get(i), JsonLimits.DATA);
      assertThat(line.getInt("step", 1, 4)).isEqualTo(i);
      assertThat(line.getString("previous")).isEqualTo(sha256(lines.get(i - 1)));
    }
    assertThat(result.getString("audit_sha256")).isEqualTo(sha256(lines.getLast()));
  }

  private static String sha256(String line) {
    return Sha256.of(line.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void oneWeightOfACheckpointIsNoticedWhateverItsDescriptionSays() throws IOException {
    Path run = copy();
    Path checkpoint = run.resolve("checkpoints/step-000002");
    Path tensors = checkpoint.resolve("state.safetensors");
    String before = Sha256.of(tensors);
    byte[] bytes = Files.readAllBytes(tensors);
    bytes[bytes.length - 1] ^= 1; // of the optimiser's state
    Files.write(tensors, bytes);
    assertNo(verify(run.resolve("audit.jsonl"), ""), "step 2: no: ", "is not whole");
    Path description = checkpoint.resolve("state.json");
    Files.writeString(
        description, Files.readString(description).replace(before, Sha256.of(tensors)));
    assertNo(verify(run.resolve("audit.jsonl"), ""), "step 2: no: tensor ", "of the checkpoint");
    // a replay that begins there comes to something else
    assertNo(verify(run.resolve("audit.jsonl"), " --steps 3..4"), "step 3: no: tensor ");
    bytes = Files.readAllBytes(honestRun.resolve("checkpoints/step-000002/state.safetensors"));
    int header = 8 + (bytes[0] & 255) + 256 * (bytes[1] & 255);
    bytes[header] ^= 1; // of the first tensor, which is trained
    String changed = Sha256.of(tensors);
    Files.write(tensors, bytes);
    Files.writeString(
        description, Files.readString(description).replace(changed, Sha256.of(tensors)));
    assertNo(verify(run.resolve("audit.jsonl"), " --steps 3..4"), "step 2: no: tensor exits.");
  }

  /** One token of a sequence that step 3 reads first. */
  @Test
  void oneBatchIsNoticed() throws IOException {
    Path tokens = honestRun.resolve("tokens.bin");
    verify(honest, " --data " + tokens).succeeded();
    Path other = temp.resolve("other.bin");
    try (TokenDataset data = TokenDataset.open(tokens);
        DatasetSource source = DatasetSource.open(tokens, LENGTH, 0.1, 1, data.vocabSize())) {
      int[] ids = data.all();
      int at = Math.toIntExact(source.number(2 * SEQUENCES) * LENGTH + 5);
      ids[at] = (ids[at] + 1) % data.vocabSize();
      TokenDataset.write(Stream.of(ids), data.vocabSize(), other);
    }
    CommandLineRun run = verify(honest, " --data " + other);
    assertNo(run, "step 3: no: data: recorded ");
    assertThat(run.out()).hasLineCount(1);
    CommandLineRun json = verify(honest, " --json --data " + other);
    assertThat(json.code()).isEqualTo(1);
    JsonObject object = Json.parse("output", json.out(), JsonLimits.DATA);
    assertThat(object.getBoolean("agrees")).isFalse();
    assertThat(object.getObject("differs").getInt("step", 0, 9)).isEqualTo(3);
    // the first two steps read other sequences, and still the data are not those of the run
    assertNo(verify(honest, " --steps 1..2 --data " + other), "before step 1: no: data");
  }

  @Test
  void oneLossIsNoticed() throws IOException {
    for (String field : List.of("losses", "gradient_norms")) {
      for (int step = 1; step <= 4; step++) {
        Path forged = AuditForgery.forge(honest, temp, step, field);
        assertNo(
            verify(forged, ""),
            "step " + step + ": no: " + (field.equals("losses") ? "loss" : "gradient norm"),
            "recorded",
            "replayed");
      }
    }
  }

  /** A record may come from anywhere. */
  @Test
  void noControlCharacterOfARecordReachesTheTerminal() throws IOException {
    List<String> lines = new ArrayList<>(Files.readAllLines(honest).subList(0, 2));
    lines.set(
        1, lines.get(1).replace("\"losses\":{\"1\":", "\"losses\":{\"\\u001b]0;title\\u0007\":"));
    Path record = Files.write(temp.resolve("record.jsonl"), lines);
    assertNo(verify(record, ""), "step 1: no: loss of \\u001b]0;title\\u0007: recorded ");
  }

  @Test
  void aLineThatWasChangedOrRemovedIsNamed() throws IOException {
    List<String> lines = Files.readAllLines(honest);
    Path record = temp.resolve("record.jsonl");
    List<String> changed = new ArrayList<>(lines);
    changed.set(2, lines.get(2).replace("\"losses\":{\"1\":", "\"losses\":{\"1\":1"));
    Files.write(record, changed);
    verify(record, "").assertRefused(1, record.toString(), "step 2 was changed");
    List<String> removed = new ArrayList<>(lines);
    removed.remove(3);
    Files.write(record, removed);
    verify(record, "").assertRefused(1, "step 2 was changed, or lines after it were removed");
    Files.write(record, lines.subList(1, 5));
    verify(record, "").assertRefused(1, record + " line 1", "format");
    Files.writeString(record, "");
    verify(record, "").assertRefused(1, "is no audit record");
  }

  @Test
  void lastLinesThatAreMissingAreNoticedByTheCheckpoints() throws IOException {
    Path record = copy().resolve("audit.jsonl");
    Files.write(record, Files.readAllLines(record).subList(0, 4));
    assertNo(verify(record, ""), "step 4: no: its line is missing", "a checkpoint after step 4");
    verify(record, " --steps 1..2").succeeded();
  }

  @Test
  void filesThatMovedAreGivenAgain() throws IOException {
    Path data = temp.resolve("here.txt");
    Files.copy(tiny.data(), data);
    Path record = temp.resolve("moved.jsonl");
    tiny.run(
            "tune --exits %s --data %s --out %s --audit %s --steps 2 --seq-len 16 --micro-batch 2 --held-out 0.1",
            tiny.exits(), data, temp.resolve("run"), record)
        .succeeded();
    Path there = temp.resolve("there.txt");
    Files.move(data, there, StandardCopyOption.ATOMIC_MOVE);
    verify(record, "").assertRefused(1, data.toString(), "no such file");
    verify(record, " --data " + there).succeeded();
  }

  @Test
  void pretrainingIsRecordedAndReplayed() throws IOException {
    Path run = temp.resolve("small");
    Path record = run.resolve("audit.jsonl");
    CommandLineRun.line(PRETRAIN, tiny.data(), run, record).succeeded();
    assertThat(verify(record, "").succeeded().out()).contains("steps 1 to 4 agree");
    assertThat(verify(record, " --steps 3").succeeded().err()).contains("checkpoint after step 2");
    Path forged = AuditForgery.forge(record, temp, 2, "gradient_norms");
    assertNo(verify(forged, ""), "step 2: no: gradient norm of all");
  }

  /** Also where the kill has left the beginning of a line. */
  @Test
  void aRunThatWasKilledWritesTheRecordOfOneThatWasNot() throws Exception {
    String line =
        "tune --threads 1 --model %s --exits %s --data %s --out %s --audit %s --steps 30 --seq-len 16 --micro-batch 2 --held-out 0.1 --checkpoint-every 4";
    Path whole = temp.resolve("whole.jsonl");
    Object[] words = {
      tiny.model(), tiny.exits(), tiny.data(), temp.resolve("whole"), whole,
    };
    CommandLineRun.line(line, words).succeeded();
    Path record = temp.resolve("killed.jsonl");
    words[3] = temp.resolve("killed");
    words[4] = record;
    try (CommandLineProcess process =
        new CommandLineProcess(Map.of(), line.formatted(words).split(" "))) {
      for (int i = 0; i < 3000 && lines(record) < 7; i++) {
        Thread.sleep(20);
      }
      ProcessHandle.of(process.pid()).orElseThrow().destroyForcibly();
      process.end();
    }
    assertThat(lines(record)).isGreaterThanOrEqualTo(7);
    Files.writeString(record, "{\"previous\":\"12", StandardOpenOption.APPEND);
    CommandLineRun.line(line, words).succeeded();
    assertThat(record).hasSameBinaryContentAs(whole);
    // and again, with nothing left to do
    CommandLineRun.line(line, words).succeeded();
    assertThat(record).hasSameBinaryContentAs(whole);
  }

  private static long lines(Path file) throws IOException {
    return Files.exists(file) ? Files.readString(file).chars().filter(c -> c == '\n').count() : 0;
  }

  @Test
  void theRecordOfAnotherRunIsRefusedAndStays() throws IOException {
    Path record = Files.copy(honest, temp.resolve("record.jsonl"));
    CommandLineRun run =
        tiny.tune(tiny.exits(), temp.resolve("other"), "--seed 9 --audit " + record);
    run.assertRefused(1, record.toString(), "record of another run", "seed is 1, now it is 9");
    // another folder, the same run: it computes the same lines
    tiny.tune(tiny.exits(), temp.resolve("same"), "--audit " + record).succeeded();
    assertThat(record).hasSameBinaryContentAs(honest);
  }

  @Test
  void aRunWhoseFirstStepsHaveNoRecordIsRefused() {
    Path run = temp.resolve("run");
    tiny.tune(tiny.exits(), run, "").succeeded();
    tiny.tune(tiny.exits(), run, "--audit " + temp.resolve("late.jsonl"))
        .assertRefused(1, "late.jsonl", "the run resumes after step 4", "--out");
    tiny.tune(tiny.exits(), temp.resolve("new"), "--audit " + temp.resolve("no/such.jsonl"))
        .assertRefused(1, "no/such.jsonl", "there is no folder");
  }

  @Test
  void stepsThatTheRecordHasNotAreWrongUsage() {
    verify(honest, " --steps 3..9").assertRefused(2, "--steps 3..9", "has steps 1 to 4");
    verify(honest, " --steps 3..2").assertRefused(2, "--steps 3..2");
    verify(honest, " --steps some").assertRefused(2, "--steps some", "90..100");
    CommandLineRun.of("audit", "check", honest.toString()).assertRefused(2, "verify", "check");
    CommandLineRun.of("audit").assertRefused(2, "verify");
  }

  /** A record comes from others: it may not make the replay write where they want. */
  @Test
  void anOptionThatDecidesNothingIsRefused() throws IOException {
    List<String> lines = Files.readAllLines(honest);
    JsonObject header = Json.parse("header", lines.getFirst(), JsonLimits.DATA);
    for (String option : List.of("--feature-cache", "--step-log", "--help", "--no-such")) {
      Map<String, Object> fields = new LinkedHashMap<>(header.fields());
      Map<String, Object> options = new LinkedHashMap<>(header.getObject("options").fields());
      options.put(option, List.of(temp.resolve("written").toString()));
      fields.put("options", options);
      Path record = temp.resolve("hostile.jsonl");
      List<String> hostile = new ArrayList<>(List.of(Json.compact(fields)));
      JsonObject first = Json.parse("line", lines.get(1), JsonLimits.DATA);
      Map<String, Object> step = new LinkedHashMap<>(first.fields());
      step.put("previous", sha256(hostile.getFirst()));
      hostile.add(Json.compact(step));
      Files.write(record, hostile);
      verify(record, "").assertRefused(1, record.toString(), option);
      assertThat(temp.resolve("written")).doesNotExist();
    }
  }

  @Test
  @Tag("slow")
  @Tag("any-kernels")
  void twoProcessesRecordAndReplayAsOne() throws Exception {
    for (String layout : List.of("--dp 2", "--pp 2")) {
      Path record = temp.resolve(layout.substring(2, 4) + ".jsonl");
      assertThat(launch(tuneWords(temp.resolve("run" + layout.substring(2, 4)), record, layout)))
          .isZero();
      assertThat(record).hasSameBinaryContentAs(honest);
      assertThat(launch("audit verify %s --threads 1 --json %s".formatted(honest, layout)))
          .as(String.join("\n", err))
          .isZero();
      assertThat(out.poll()).startsWith("[0] {").contains("\"agrees\":true");
      Path forged = AuditForgery.forge(honest, temp, 2, "losses");
      assertThat(launch("audit verify %s --threads 1 --json %s".formatted(forged, layout)))
          .isEqualTo(1);
      assertThat(out.poll()).contains("\"agrees\":false", "\"step\":2");
    }
  }

  private final Queue<String> out = new ConcurrentLinkedQueue<>();
  private final Queue<String> err = new ConcurrentLinkedQueue<>();

  private static String tuneWords(Path run, Path record, String layout) {
    return "tune --threads 1 --model %s --exits %s --data %s --out %s --steps 4 --seq-len 16 --micro-batch 2 --global-batch 4 --lr 0.01 --held-out 0.1 --checkpoint-every 2 --audit %s %s"
        .formatted(tiny.model(), tiny.exits(), tiny.data(), run, record, layout);
  }

  private int launch(String line) throws InterruptedException {
    out.clear();
    err.clear();
    Launcher.Options options =
        new Launcher.Options(
            2,
            CommandLineProcess.command(line.split(" ")),
            0,
            Duration.ZERO,
            Duration.ofSeconds(10));
    return new Launcher(options, p -> out.add(p.toString()), p -> err.add(p.toString())).run();
  }
}

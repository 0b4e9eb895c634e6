package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.file.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A disk that fills up: one line that says so, and what was whole before stays of use. */
@EnabledOnOs(OS.LINUX)
class FullDiskContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  private Path disk;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @BeforeEach
  void mountASmallDisk() throws Exception {
    disk = Files.createDirectory(temp.resolve("disk"));
    String said = mount("-t", "tmpfs", "-o", "size=128k", "tmpfs", disk.toString());
    assumeTrue(said.isEmpty(), () -> "a small disk in memory cannot be mounted: " + said);
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", "-l", disk.toString());
  }

  private static String mount(String... arguments) throws Exception {
    List<String> words = new ArrayList<>(List.of("mount"));
    words.addAll(Arrays.asList(arguments));
    return run(words.toArray(String[]::new));
  }

  private static String run(String... words) throws Exception {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes()).strip();
    return process.waitFor() == 0 ? "" : said + " ";
  }

  private void grow() throws Exception {
    assertThat(mount("-o", "remount,size=64m", disk.toString())).isEmpty();
  }

  private static void assertOneLine(CommandLineRun run, Object... parts) {
    assertThat(run.code()).as(run.err()).isEqualTo(1);
    assertThat(run.err().lines().filter(line -> line.startsWith("sortie: ")))
        .as(run.err())
        .hasSize(1)
        .allSatisfy(
            line -> assertThat(line).contains(Arrays.stream(parts).map(Object::toString).toList()));
    assertThat(run.err()).doesNotContain("internal error", "\tat ");
  }

  @Test
  void aFeatureCacheThatDoesNotFitIsFilledByTheNextRun() throws Exception {
    Path plain = temp.resolve("plain");
    tune(plain, "").succeeded();
    Path out = temp.resolve("out");
    CommandLineRun full = tune(out, " --feature-cache " + disk);
    assertOneLine(full, disk, "No space left on device", "--feature-cache");
    grow();
    tune(out, " --feature-cache " + disk).succeeded();
    assertThat(Sha256.of(out.resolve("exits.safetensors")))
        .isEqualTo(Sha256.of(plain.resolve("exits.safetensors")));
  }

  /** Windows of more than 16 tokens: batches of any size give their rows the same bits. */
  private static CommandLineRun tune(Path out, String more) {
    return tiny.run(
        "tune --exits %s --data %s --out %s --steps 4 --seq-len 24 --micro-batch 2 --held-out 0.1 --checkpoint-every 2"
            + more,
        tiny.exits(),
        tiny.data(),
        out);
  }

  @Test
  void aRunContinuesFromItsLastWholeCheckpoint() throws Exception {
    Path plain = temp.resolve("plain");
    tiny.tune(tiny.exits(), plain, "").succeeded();
    Path out = disk.resolve("out");
    assertOneLine(tiny.tune(tiny.exits(), out, ""), out, "No space left on device");
    assertThat(Altered.files(out)).doesNotContain("exits.json");
    grow();
    tiny.tune(tiny.exits(), out, "").succeeded();
    assertThat(Sha256.of(out.resolve("exits.safetensors")))
        .isEqualTo(Sha256.of(plain.resolve("exits.safetensors")));
    assertThat(Altered.files(out)).noneMatch(name -> name.endsWith(".tmp"));
  }

  @Test
  void anAuditRecordContinuesAfterItsLastWholeLine() throws Exception {
    Path plain = temp.resolve("plain.jsonl");
    tune(temp.resolve("plain"), " --audit " + plain).succeeded();
    Path record = disk.resolve("record.jsonl");
    Files.write(disk.resolve("other"), new byte[31 * 4096]);
    assertOneLine(
        tune(temp.resolve("out"), " --audit " + record), record, "No space left on device");
    assertThat(Files.size(record)).isBetween(1L, Files.size(plain) - 1);
    grow();
    tune(temp.resolve("out"), " --audit " + record).succeeded();
    assertThat(record).hasSameBinaryContentAs(plain);
  }

  @Test
  void anEvaluationLeavesNoHalfResult() throws Exception {
    Path text = Files.writeString(temp.resolve("text"), TinyModel.TEXT);
    for (int free = 0; free <= 2; free++) { // not even the lock, the lock, some of the report
      Files.write(disk.resolve("other"), new byte[(31 - free) * 4096]);
      assertOneLine(
          tiny.run("eval --text %s --out %s", text, disk.resolve("out")),
          disk.resolve("out"),
          "No space left on device");
      assertThat(Altered.files(disk.resolve("out"))).as("with %d pages free", free).isEmpty();
      Files.delete(disk.resolve("other"));
    }
  }
}

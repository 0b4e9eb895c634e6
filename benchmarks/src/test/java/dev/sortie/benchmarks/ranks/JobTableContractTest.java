package dev.sortie.benchmarks.ranks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.benchmarks.compare.KeptLines;
import dev.sortie.nn.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bench ranks}: its sums, its file, and what it runs. */
class JobTableContractTest {
  @TempDir private Path folder;

  private static JobRun run(int round, Layout layout, double rate) {
    return new JobRun(round, layout, rate, layout == Layout.TP ? "rounded" : "same");
  }

  private static List<JobRun> runs() {
    List<JobRun> runs = new ArrayList<>();
    double[] noise = {1, 4, 0.9};
    for (int round = 0; round < noise.length; round++) {
      runs.add(run(round, Layout.PP, 170 * noise[round]));
      runs.add(run(round, Layout.ONE, 100 * noise[round]));
      runs.add(run(round, Layout.APART, 200 * noise[round]));
      runs.add(run(round, Layout.TP, 150));
    }
    return runs;
  }

  @Test
  void mediansAreComparedWithOneRankAndWithTwoCommandsAtOnce() {
    List<Map<String, Object>> rows = JobTable.rows(runs());
    assertThat(rows)
        .extracting(r -> r.get("case"))
        .containsExactly("two commands at once", "--pp 2", "--tp 2");
    assertThat(rows.get(0)).containsEntry("ratio", 2.0).doesNotContainKey("of_two_commands");
    assertThat(rows.get(1))
        .containsEntry("ours", 170.0)
        .containsEntry("peer", 100.0)
        .containsEntry("ratio", 1.7)
        .containsEntry("of_two_commands", 0.85)
        .containsEntry("slowest", 153.0)
        .containsEntry("fastest", 680.0);
  }

  @Test
  void otherBitsThanThoseOfOneRankAreRefused() {
    List<JobRun> runs = runs();
    runs.add(new JobRun(3, Layout.DP, 190, "other"));
    assertThatThrownBy(() -> JobTable.rows(runs))
        .isInstanceOf(InputException.class)
        .hasMessage("--dp 2 made other, one rank same; they must have the same bits");
    assertThatThrownBy(() -> JobTable.rows(List.of(run(0, Layout.PP, 1))))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("lacks one");
  }

  @Test
  void aRunIsReadAsItWasKept() {
    KeptLines file = new KeptLines(folder.resolve("runs.jsonl"), "tune");
    JobRun run = run(2, Layout.DP, 12.5);
    file.append(run.json());
    assertThat(file.read().stream().map(JobRun::read)).containsExactly(run);
    KeptLines other = new KeptLines(folder.resolve("runs.jsonl"), "pretrain");
    assertThatThrownBy(other::read)
        .isInstanceOf(InputException.class)
        .hasMessageContaining("(tune)")
        .hasMessageContaining("(pretrain)");
  }

  @Test
  void eachLayoutIsStartedAsUsersStartIt() {
    List<List<String>> each = List.of(List.of("--out", "a"), List.of("--out", "b"));
    assertThat(Layout.ONE.words("sortie", List.of("tune"), each))
        .containsExactly(List.of("sortie", "tune", "--out", "a"));
    assertThat(Layout.APART.words("sortie", List.of("tune"), each))
        .containsExactly(
            List.of("sortie", "tune", "--out", "a"), List.of("sortie", "tune", "--out", "b"));
    assertThat(Layout.PP.words("sortie", List.of("tune"), each))
        .containsExactly(
            List.of(
                "sortie", "launch", "--nproc", "2", "--", "sortie", "tune", "--pp", "2", "--out",
                "a"));
    assertThatThrownBy(() -> Layout.of("ep"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("ep");
  }

  @Test
  void theLastLineOfACommandIsItsResultAndAFailureIsSaid() throws Exception {
    Path script = folder.resolve("sortie");
    Files.writeString(
        script,
        """
        #!/bin/sh
        case "$*" in
          *fail*) echo "a reason" >&2; exit 3 ;;
          *launch*) echo '[0] {"steady_tokens_per_second":190,"exits_sha256":"same"}' ;;
          *) echo note; echo '{"steady_tokens_per_second":100,"exits_sha256":"same"}' ;;
        esac
        """);
    assertThat(script.toFile().setExecutable(true)).isTrue();
    Job job = new Job(script, List.of("tune"));
    assertThat(job.run(0, Layout.ONE)).isEqualTo(run(0, Layout.ONE, 100));
    assertThat(job.run(0, Layout.APART)).isEqualTo(run(0, Layout.APART, 200));
    assertThat(job.run(1, Layout.DP)).isEqualTo(run(1, Layout.DP, 190));
    assertThatThrownBy(() -> new Job(script, List.of("tune", "fail")).run(0, Layout.ONE))
        .isInstanceOf(InputException.class)
        .hasMessage("the command ended with code 3: a reason");
    assertThatThrownBy(() -> new Job(script, List.of("score")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("score");
  }
}

package dev.sortie.parallel.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.comm.Processes;
import dev.sortie.parallel.comm.Seeds;
import dev.sortie.parallel.comm.transport.shm.JobFiles;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What becomes of the ranks when the launcher is killed, and of a job whose rank dies. {@code
 * -Dsortie.faults=20} for more seeds.
 */
@Timeout(90)
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "faults are POSIX signals")
@Tag("any-kernels")
@Tag("slow")
class LauncherFaultsTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Pattern RANK = Pattern.compile("\\[\\d] process (\\d+) job ([0-9a-f]+)");

  static IntStream seeds() {
    return Seeds.faults(2);
  }

  private final List<ProcessHandle> started = new ArrayList<>();

  @AfterEach
  void nothingContinues() {
    for (ProcessHandle launcher : started) {
      launcher.descendants().forEach(ProcessHandle::destroyForcibly);
      launcher.destroyForcibly();
    }
  }

  private Processes.Running launch(int ranks, List<String> command) throws Exception {
    List<String> arguments = new ArrayList<>(List.of(ranks + "", "0", "2"));
    arguments.addAll(command);
    Processes.Running launcher =
        Processes.start(LaunchedJob.class, arguments.toArray(String[]::new));
    started.add(launcher.process().toHandle());
    return launcher;
  }

  /** Even seeds: the ranks are the launcher's children. Odd ones: a script is in between. */
  @ParameterizedTest
  @MethodSource("seeds")
  void ranksEndWhenTheirLauncherIsKilled(int seed) throws Exception {
    List<String> rank = LaunchedJob.command(LaunchedJob.Calling.class);
    if (seed % 2 == 1) {
      rank = new ArrayList<>(rank);
      rank.addAll(0, List.of("/bin/sh", "-c", "\"$@\"; exit $?", "script"));
    }
    Processes.Running launcher = launch(2, rank);
    List<ProcessHandle> processes = new ArrayList<>();
    String job = "";
    while (processes.size() < 2) {
      String line = launcher.lines().readLine();
      assertThat(line).as("%d ranks have begun", processes.size()).isNotNull();
      Matcher begun = RANK.matcher(line);
      if (begun.matches()) {
        processes.add(ProcessHandle.of(Long.parseLong(begun.group(1))).orElseThrow());
        job = begun.group(2);
      }
    }
    launcher.process().descendants().forEach(processes::add);
    Thread.sleep(new Random(seed).nextInt(300));
    launcher.signal("KILL");
    String name = job;
    allEnd(processes);
    assertThat(new JobFiles(SharedMemoryTransport.folder(), name).left()).isEmpty();
  }

  @Test
  void commandsThatKnowNothingOfLaunchersEndTooWhenItIsKilled() throws Exception {
    Processes.Running launcher =
        launch(2, List.of("/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.2; done"));
    for (int rank = 0; rank < 2; rank++) {
      assertThat(launcher.lines().readLine()).endsWith(" up");
    }
    List<ProcessHandle> processes = launcher.process().descendants().toList();
    assertThat(processes).hasSizeGreaterThanOrEqualTo(3);
    launcher.signal("KILL");
    allEnd(processes);
  }

  /**
   * Each rank is a script whose child's child lives on when the script and the child have ended.
   */
  @ParameterizedTest
  @MethodSource("seeds")
  @EnabledOnOs(value = OS.LINUX, disabledReason = "other systems do not show environments")
  void whatScriptsHaveStartedEndsTooWhenTheLauncherIsKilled(int seed) throws Exception {
    String below = "trap '' TERM; echo $$; while :; do sleep 0.2; done";
    String rank = "sh -c '(exec sh -c \"$1\") & echo up; exit' child \"$1\"; sleep 300";
    Processes.Running launcher = launch(2, List.of("/bin/sh", "-c", rank, "rank", below));
    List<ProcessHandle> processes = new ArrayList<>();
    while (processes.size() < 2) {
      String line = launcher.lines().readLine();
      assertThat(line).as("%d ranks have begun", processes.size()).isNotNull();
      if (line.matches("\\[\\d] \\d+")) {
        processes.add(ProcessHandle.of(Long.parseLong(line.split(" ")[1])).orElseThrow());
      }
    }
    Thread.sleep(new Random(seed).nextInt(300));
    launcher.signal("KILL");
    allEnd(processes);
  }

  private void allEnd(List<ProcessHandle> processes) throws Exception {
    started.addAll(processes); // they are the test's to end if they do not
    for (ProcessHandle process : processes) {
      process.onExit().get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  @Test
  void nothingGuardsAnyMoreAfterTheJob() throws Exception {
    Processes.Running launcher = launch(1, List.of("/bin/sh", "-c", "echo up; sleep 0.5"));
    launcher.lines().readLine();
    List<ProcessHandle> processes = launcher.process().descendants().toList();
    assertThat(launcher.process().waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
    assertThat(launcher.process().exitValue()).isZero();
    allEnd(processes);
  }

  @Test
  void aJobContinuesFromWhatItKeptWhenItIsStartedAgain(@TempDir Path folder) throws Exception {
    List<String> out = new CopyOnWriteArrayList<>();
    List<String> err = new CopyOnWriteArrayList<>();
    Launcher.Options options =
        new Launcher.Options(
            3,
            LaunchedJob.command(LaunchedJob.Resuming.class, folder.toString()),
            2,
            Duration.ofMillis(100),
            Duration.ofSeconds(10));
    assertThat(new Launcher(options, p -> out.add(p.toString()), p -> err.add(p.toString())).run())
        .isZero();
    assertThat(out)
        .contains("[0] start 0 at step 0", "[0] start 1 at step 5", "[1] start 1 at step 5")
        .contains("[0] sum 270", "[1] sum 270", "[2] sum 270") // (1 + 2 + 3) · (0 + … + 9)
        .anyMatch(line -> line.matches("\\[0] LOST_RANK rank 1 .*all-reduce of 1 I64.*"))
        .anyMatch(line -> line.matches("\\[2] LOST_RANK rank 1 .*all-reduce of 1 I64.*"));
    assertThat(err)
        .contains("launch: rank 1 ended with exit code 7", "launch: restart 1 of 2 in 0.1 s")
        .noneMatch(line -> line.startsWith("launch: restart 2"));
  }
}

package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that are processes, in shared memory: the same results, and what happens when one dies. */
@Timeout(90)
@Tag("any-kernels")
class ProcessesTest {
  @TempDir Path folder;

  private final List<Process> processes = new ArrayList<>();
  private final List<BufferedReader> output = new ArrayList<>();
  private String job;

  @BeforeEach
  void nameTheJob() {
    job = UUID.randomUUID().toString().replace("-", "");
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    processes.forEach(Process::destroyForcibly);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  private void start(String task, int world) throws IOException {
    processes.addAll(RankProcess.start(task, folder, job, world));
    for (Process process : processes) {
      output.add(process.inputReader());
    }
    for (BufferedReader reader : output) {
      assertThat(reader.readLine()).isEqualTo("ready");
    }
  }

  @Test
  void collectivesAreExactAmongProcesses() throws IOException {
    start("check", 3);
    for (BufferedReader reader : output) {
      assertThat(reader.readLine()).isEqualTo("checked");
    }
  }

  @Test
  void aKilledRankIsNamedByAllOthersWithinSeconds() throws Exception {
    start("sum", 3);
    long pid = processes.get(1).pid();
    processes.get(1).destroyForcibly().waitFor();
    survivorsName("LOST_RANK rank 1 (process " + pid + ") has died");
  }

  @Test
  void aStoppedRankIsNamedAfterTheSilenceAllowed() throws Exception {
    start("sum", 3);
    long pid = processes.get(1).pid();
    new ProcessBuilder("kill", "-STOP", pid + "").start().waitFor();
    survivorsName("LOST_RANK rank 1 (process " + pid + ") has shown no sign of life");
  }

  private void survivorsName(String failure) throws Exception {
    for (int survivor : new int[] {0, 2}) {
      assertThat(output.get(survivor).readLine()).startsWith(failure);
      assertThat(processes.get(survivor).waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
  }
}

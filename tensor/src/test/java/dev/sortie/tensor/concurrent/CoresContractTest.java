package dev.sortie.tensor.concurrent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which cores count, on made-up machines. */
class CoresContractTest {
  @TempDir private Path folder;

  private int cores(String allowed, int available, String name, String... siblings)
      throws IOException {
    for (int cpu = 0; cpu < siblings.length; cpu++) {
      Path topology = folder.resolve("cpu" + cpu).resolve("topology");
      Files.createDirectories(topology);
      Files.writeString(topology.resolve(name), siblings[cpu] + "\n");
    }
    Path status = folder.resolve("status");
    Files.writeString(status, "Name:\tjava\nCpus_allowed_list:\t" + allowed + "\n");
    return Cores.physical(folder, status, available);
  }

  @Test
  void twoHardwareThreadsOfACoreCountOnce() throws IOException {
    String[] siblings = {"0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"};
    assertThat(cores("0-7", 8, "core_cpus_list", siblings)).isEqualTo(4);
  }

  @Test
  void neighbouringHardwareThreadsCountOnceUnderTheOldNameToo() throws IOException {
    String[] siblings = {"0-1", "0-1", "2-3", "2-3"};
    assertThat(cores("0-3", 4, "thread_siblings_list", siblings)).isEqualTo(2);
  }

  @Test
  void onlyCoresThatTheProcessMayUseCount() throws IOException {
    String[] siblings = {"0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"};
    assertThat(cores("1,4-5", 3, "core_cpus_list", siblings)).isEqualTo(2);
  }

  @Test
  void theContainersQuotaIsTheUpperLimit() throws IOException {
    assertThat(cores("0-3", 2, "core_cpus_list", "0", "1", "2", "3")).isEqualTo(2);
  }

  @Test
  void aSystemThatDoesNotTellHasAsManyCoresAsHardwareThreads() throws IOException {
    assertThat(Cores.physical(folder, folder.resolve("none"), 6)).isEqualTo(6);
    assertThat(cores("0-1", 6, "other", "0", "1")).isEqualTo(6);
    assertThat(cores("every", 6, "core_cpus_list", "0", "1")).isEqualTo(6);
    assertThat(cores("0-1", 6, "core_cpus_list", "0", "1-0")).isEqualTo(6);
  }

  @Test
  void thisMachineHasAtLeastOneCoreAndNoMoreThanHardwareThreads() {
    assertThat(Cores.physical()).isBetween(1, Cores.logical());
  }
}

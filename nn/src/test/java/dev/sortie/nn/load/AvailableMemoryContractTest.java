package dev.sortie.nn.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is available is the least that the machine and all control groups leave. */
class AvailableMemoryContractTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path root;

  private void file(String path, String text) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private void meminfo(int mib) throws IOException {
    file(
        "proc/meminfo",
        "MemTotal:       99999999 kB\nMemFree:          1 kB\nMemAvailable: %8d kB\nBuffers: 1 kB\n"
            .formatted(mib << 10));
  }

  private void second(String group, String limit, int used, int inactive, int active)
      throws IOException {
    String folder = "sys/fs/cgroup" + group + "/";
    file(folder + "memory.max", limit + "\n");
    file(folder + "memory.current", used * MIB + "\n");
    file(
        folder + "memory.stat",
        "anon 5\nfile 7\ninactive_file %d\nactive_file %d\n"
            .formatted(inactive * MIB, active * MIB));
  }

  @Test
  void withoutGroupsItIsMemAvailable() throws IOException {
    meminfo(700);
    assertThat(AvailableMemory.of(root))
        .isEqualTo(new AvailableMemory(700 * MIB, "MemAvailable of this machine"));
  }

  @ParameterizedTest
  @CsvSource({
    "max, 500, 700, MemAvailable of this machine",
    "1073741824, 500, 624, memory limit of the control group",
    "1073741824, 100, 700, MemAvailable of this machine",
    "104857600, 200, 0, memory limit of the control group",
  })
  void aGroupLeavesItsLimitLessWhatCannotBeDropped(
      String limit, int used, int available, String origin) throws IOException {
    meminfo(700);
    file("proc/self/cgroup", "0::/a.slice/b.scope\n");
    second("/a.slice/b.scope", limit, used, 60, 40);
    assertThat(AvailableMemory.of(root)).isEqualTo(new AvailableMemory(available * MIB, origin));
  }

  @Test
  void groupsAboveCountToo() throws IOException {
    meminfo(700);
    file("proc/self/cgroup", "0::/a/b/c\n");
    second("/a/b/c", "max", 1, 0, 0);
    second("/a", Long.toString(300 * MIB), 50, 0, 0);
    assertThat(AvailableMemory.of(root).bytes()).isEqualTo(250 * MIB);
  }

  @Test
  void aContainerSeesItsOwnGroupAsTheTopmost() throws IOException {
    meminfo(700);
    file("proc/self/cgroup", "0::/\n");
    second("", Long.toString(300 * MIB), 50, 0, 0);
    assertThat(AvailableMemory.of(root).bytes()).isEqualTo(250 * MIB);
    file("proc/self/cgroup", "0::/../../outside\n");
    assertThat(AvailableMemory.of(root).bytes()).isEqualTo(700 * MIB);
  }

  @Test
  void theFirstVersionOfGroupsIsKnown() throws IOException {
    meminfo(700);
    file("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/box\n3:cpuset:/other\n");
    file("sys/fs/cgroup/memory/box/memory.limit_in_bytes", Long.toString(400 * MIB));
    file("sys/fs/cgroup/memory/box/memory.usage_in_bytes", Long.toString(300 * MIB));
    file("sys/fs/cgroup/memory/box/memory.stat", "total_inactive_file " + 200 * MIB + "\n");
    assertThat(AvailableMemory.of(root).bytes()).isEqualTo(300 * MIB);
    file("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712");
    assertThat(AvailableMemory.of(root).bytes()).isEqualTo(700 * MIB);
  }

  @Test
  void elsewhereItIsWhatTheJvmKnows() {
    assertThat(AvailableMemory.of(root).bytes()).isPositive();
    assertThat(AvailableMemory.of(root).origin()).isEqualTo("memory of this machine");
    assertThat(AvailableMemory.now().bytes()).isPositive();
  }
}

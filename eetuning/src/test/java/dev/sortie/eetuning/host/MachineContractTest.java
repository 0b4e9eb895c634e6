package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineContractTest {
  @TempDir private Path dir;

  @Test
  void theMachineNamesItsProcessor() throws IOException {
    Path cpuinfo =
        Files.writeString(
            dir.resolve("cpuinfo"),
            "processor\t: 0\nmodel name\t: Fast: CPU 9\nmodel name\t: Other\n");
    assertThat(Machine.cpuName(cpuinfo)).isEqualTo("Fast: CPU 9");
    assertThat(Machine.cpuName(dir.resolve("absent"))).isEqualTo(System.getProperty("os.arch"));
    assertThat(Machine.detect("scalar").cores()).isPositive();
  }
}

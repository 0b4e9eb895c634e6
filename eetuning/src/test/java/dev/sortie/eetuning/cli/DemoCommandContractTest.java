package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code demo}. */
@Tag("slow")
class DemoCommandContractTest {
  @TempDir private Path temp;

  @Test
  void theReportHasTheCommandWithAllItsOptions() throws IOException {
    Path out = temp.resolve("demo");
    String line = "demo --threads 1 --steps 1 --text 2 --rounds 1 --tokens 2 --seed 3 --out " + out;
    CommandLineRun.of(line.split(" ")).succeeded();
    assertThat(Files.readString(out.resolve("report.html"))).contains("./sortie " + line);
    assertThat(out.resolve("features")).as("hidden states kept for the tuning").doesNotExist();
  }
}

package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code doctor}. */
@Tag("slow")
class DoctorCommandContractTest {
  @TempDir private static Path shared;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @Test
  void doctorTellsWhatAModelAndItsExitsCost() {
    JsonObject json = tiny.run("doctor --exits %s --json", tiny.exits()).json();
    assertThat(json.getStrings("exits"))
        .hasSize(3)
        .anyMatch(line -> line.contains("after layer 2"));
    JsonObject cost = json.getObject("cost");
    assertThat(cost.getObject("layer").fields().keySet()).containsExactly("1", "2", "4", "8", "16");
    assertThat(cost.getObject("pass").getDouble("1", 0, 10)).isPositive();
    List<JsonObject> payoffs = cost.getObjects("exit_payoffs");
    assertThat(payoffs).extracting(e -> e.getInt("depth", 1, 3)).containsExactly(1, 2);
    payoffs.forEach(e -> assertFields(e, "ask", "best_speedup", "break_even_share"));
    assertThat(cost.getObjects("draft_payoffs"))
        .extracting(d -> d.getInt("length", 1, 16))
        .containsExactly(1, 3, 7, 15);
  }

  @Test
  void doctorSaysOneObjectATopic() {
    JsonObject json = CommandLineRun.line("doctor --threads 1 --json").json();
    assertFields(json, "java", "machine", "kernels", "huge_pages", "mpi", "advice");
    assertFields(json.getObject("machine"), "cores", "hardware_threads", "threads");
    assertThat(json.getObject("machine").getInt("threads", 1, 9)).isEqualTo(1);
    assertFields(json.getObject("kernels"), "set", "reason");
    assertFields(json.getObject("self_test"), "vector_fma_gflops", "gemm_gflops", "read_gb_per_s");
    assertThat(json.fields().keySet()).containsAnyOf("opencl", "devices");
    String text = CommandLineRun.line("doctor --threads 1").succeeded().out();
    assertThat(text).contains("java\n", "  set: ", "  cores: ").containsPattern("to fix\n");
  }
}

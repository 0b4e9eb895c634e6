package dev.sortie.tests;

import dev.sortie.opencl.OpenClDevices;
import dev.sortie.tests.MarkdownPage.Fence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * What the commands of a block need in addition to a checkout and a few seconds. The first lines of
 * the block say it to the reader, in these words; without such a line the block runs everywhere.
 */
enum Need {
  A_GRAPHICS_CARD("# needs a graphics card"),
  THE_NETWORK("# needs the network"),
  SEVERAL_MACHINES("# needs several machines"),
  /** {@code LmEvalTest} runs it where it is installed. */
  LM_EVAL("# needs lm-eval"),
  MINUTES("# takes minutes"),
  HOURS("# takes hours"),
  A_CHANGED_CHECKOUT("# writes into the checkout"),
  AN_OPENCL_DEVICE("# needs an OpenCL device") {
    @Override
    void assumeMet(Path folder) {
      OpenClDevices found = OpenClDevices.list();
      Assumptions.assumeTrue(!found.devices().isEmpty(), found.reason());
    }
  },
  A_CHAT_MODEL("# needs a chat model, model.gguf") {
    @Override
    void assumeMet(Path folder) throws IOException {
      Path model = Fixture.shared("models/SmolLM2-135M-Instruct");
      Path link = folder.resolve("model.gguf");
      if (Files.notExists(link)) {
        Path file = model.resolve("SmolLM2-135M-Instruct.Q4_1.gguf").toAbsolutePath();
        Files.createSymbolicLink(link, file);
      }
    }
  };

  private final String line;

  Need(String line) {
    this.line = line;
  }

  /**
   * The needs of a block.
   *
   * @throws IllegalArgumentException for one that is not in the list
   */
  static List<Need> of(Fence fence) {
    return fence
        .text()
        .lines()
        .takeWhile(line -> line.startsWith("# "))
        .map(line -> named(line, fence))
        .toList();
  }

  private static Need named(String line, Fence fence) {
    return Arrays.stream(values())
        .filter(need -> need.line.equals(line))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(fence + " is not one of the needs"));
  }

  /**
   * Skips the test with the reason if this machine, or a test, cannot meet the need.
   *
   * @param folder where the block runs
   */
  void assumeMet(Path folder) throws IOException {
    Assumptions.abort(line.substring(2));
  }
}

package dev.sortie.langchain4j;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.LoadOptions;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import java.nio.file.Files;
import java.nio.file.Path;

/** SmolLM2-135M-Instruct, as small as a model can be that answers questions. */
final class SmolLm2 {
  private static final String FILE = "models/SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf";

  private SmolLm2() {}

  /** With its own chat template, which knows no tools; skips the tests where it is absent. */
  static Model load() {
    return Sortie.load(file(), LoadOptions.DEFAULT.threads(2));
  }

  /** With a chat template that writes tools down. */
  static Model loadWithTools() {
    Path template = Path.of("src/test/resources/tools.jinja");
    return Sortie.load(file(), LoadOptions.DEFAULT.threads(2).chatTemplate(template));
  }

  private static Path file() {
    String shared = System.getProperty("SORTIE_SHARED", System.getenv("SORTIE_SHARED"));
    assumeTrue(shared != null, "the shared folder is absent; set SORTIE_SHARED");
    Path file = Path.of(shared, FILE);
    assumeTrue(Files.exists(file), file + " is absent");
    return file;
  }
}

package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests that schemathesis makes up from the OpenAPI document, right and wrong ones: none is
 * answered with status 500, answers are as the document describes them, and what it forbids is
 * refused. {@code SORTIE_SCHEMATHESIS} names the program.
 */
@Tag("any-kernels")
class SchemathesisTest {
  private static final int SECONDS = 40;

  @TempDir private Path folder;

  @Test
  void whatItMakesUpIsAnsweredAsTheDocumentSays() throws Exception {
    String program = System.getenv("SORTIE_SCHEMATHESIS");
    assumeTrue(
        program != null,
        "SORTIE_SCHEMATHESIS names no schemathesis: python3 -m venv DIR, DIR/bin/pip install"
            + " schemathesis, SORTIE_SCHEMATHESIS=DIR/bin/schemathesis");
    try (ServedFable served = ServedFable.start()) {
      // a valid request may be refused for what no schema says: a grammar that is none, a function
      // that is not among the tools
      Process process =
          new ProcessBuilder(
                  program,
                  "run",
                  served.url() + "/openapi.json",
                  "--exclude-checks=positive_data_acceptance",
                  "--phases=examples,coverage,fuzzing",
                  "--max-time=" + SECONDS,
                  "--request-timeout=20",
                  "--seed=1",
                  "--generation-database=none",
                  "--warnings=off",
                  "--no-color",
                  "--continue-on-failure")
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(said).isZero();
      assertThat(said).contains("generated", "No issues found");
    }
  }
}

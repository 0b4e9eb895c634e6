package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.family.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The README says what is there. */
class ReadmeContractTest {
  private static final String HEAD = "| family | `model_type` | safetensors | GGUF |";

  @Test
  void itsTableOfModelsIsTheProgramsOwn() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("..", "README.md"));
    int first = lines.indexOf(HEAD) + 2;
    assertThat(first).as("line of the table's head").isGreaterThan(1);
    List<String> rows =
        lines.subList(first, lines.size()).stream().takeWhile(l -> l.startsWith("|")).toList();
    assertThat(rows)
        .containsExactlyElementsOf(
            Families.supported().stream()
                .map(
                    f ->
                        "| %s | `%s` | yes | %s |"
                            .formatted(f.title(), f.modelType(), f.gguf() ? "yes" : "no"))
                .toList());
  }

  /** {@code module/…/place/File.java} is one file of the module. */
  @Test
  void theFilesThatItNamesAreThere() throws IOException {
    List<String> named =
        Pattern.compile("`([a-z-]+)/…(/[\\w/]+\\.java)`")
            .matcher(Files.readString(Path.of("..", "README.md")))
            .results()
            .map(m -> m.group(1) + " " + m.group(2))
            .toList();
    assertThat(named).hasSizeGreaterThan(5);
    for (String place : named) {
      String[] parts = place.split(" ");
      try (Stream<Path> files = Files.walk(Path.of("..", parts[0], "src", "main", "java"))) {
        assertThat(files.filter(file -> file.toString().endsWith(parts[1]))).as(place).hasSize(1);
      }
    }
  }
}

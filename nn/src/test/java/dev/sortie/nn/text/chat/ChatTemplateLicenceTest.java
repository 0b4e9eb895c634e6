package dev.sortie.nn.text.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each template of the fixtures may be passed on, and says from where it came. */
@Tag("any-kernels")
class ChatTemplateLicenceTest {
  private static final List<String> FREE = List.of("Apache-2.0", "MIT");

  @Test
  void everyTemplateHasAFreeLicenceAndARowInTheReadme() throws IOException {
    String readme = ChatFixtures.text("README.md");
    List<JsonObject> listed = ChatFixtures.objects("templates.json");
    for (JsonObject t : listed) {
      assertThat(t.getString("licence")).as(t.getString("file")).isIn(FREE);
      assertThat(readme)
          .contains(
              "| `%s` | %s | %s | %s |"
                  .formatted(
                      t.getString("file"),
                      t.getString("model"),
                      t.getString("licence"),
                      t.getString("origin")));
    }
    Path folder =
        Path.of(
            URI.create(ChatFixtures.class.getResource("templates.json").toString())
                .resolve("templates"));
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .as("files that are there are listed, and the other way round")
          .containsExactlyInAnyOrderElementsOf(
              listed.stream().map(t -> t.getString("file")).toList());
    }
  }
}

package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Tag("slow")
class StoriesCommandContractTest {
  @TempDir private Path temp;

  private final StringWriter err = new StringWriter();

  private int run(List<String> more, String... args) {
    CommandLine line = Bench.commandLine();
    line.setErr(new PrintWriter(err));
    List<String> all = new ArrayList<>(List.of("stories", "--model", "fable", "--judge", "fable"));
    all.addAll(List.of(args));
    all.addAll(more);
    return line.execute(all.toArray(String[]::new));
  }

  private List<String> beginnings(String... lines) throws IOException {
    return List.of(
        "--beginnings", Files.write(temp.resolve("begun.jsonl"), List.of(lines)).toString());
  }

  @Test
  void bothWaysAndTheStoriesOfOthersAreRows() throws IOException {
    Path others = Files.writeString(temp.resolve("others.jsonl"), "{\"text\": \"A hen sat.\"}\n");
    PrintStream real = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      List<String> begun = beginnings("{\"prompt\": \"One day\"}", "{\"prompt\": \"A fox\"}");
      assertThat(run(begun, "--compare", others.toString(), "--show", "1", "--json")).isZero();
    } finally {
      System.setOut(real);
    }
    JsonObject result = Json.parse("output", out.toString(StandardCharsets.UTF_8), JsonLimits.DATA);
    List<JsonObject> rows = result.getObjects("rows");
    assertThat(rows).hasSize(3);
    assertThat(rows).allMatch(r -> r.getDouble("judge_nll", 0, 12) > 0);
    assertThat(rows.getFirst().getInt("count", 0, 9)).isEqualTo(2);
    assertThat(rows.getFirst().getInt("ended", 0, 2)).isBetween(0, 2);
    assertThat(rows.getLast().contains("ended")).isFalse();
    assertThat(rows.getLast().getDouble("words", 0, 99)).isEqualTo(3);
    assertThat(result.getStrings("stories")).singleElement().asString().startsWith("One day");
  }

  @Test
  void aChoiceIsNoBeginning() throws IOException {
    assertThat(run(beginnings("{\"context\": \"A\", \"choices\": [\"b\", \"c\"], \"answer\": 0}")))
        .isEqualTo(1);
    assertThat(err.toString().strip())
        .endsWith("begun.jsonl: item 1 has choices; an item with a prompt is expected");
  }
}

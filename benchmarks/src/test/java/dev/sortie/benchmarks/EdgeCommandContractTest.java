package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code bench edge}: the same texts over links, with what they took. */
@Tag("slow")
class EdgeCommandContractTest {
  private static final int TOKENS = 12;
  private static final int PROMPT = 43;

  @TempDir private static Path folder;

  @BeforeAll
  static void exits() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("exits");
        LanguageModel m = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.FILE, device)) {
      Exits built =
          new Exits(
              m.sha256(),
              Map.of(),
              List.of(3, 6, 9).stream()
                  .map(d -> new ExitSpec(d, ExitArchitecture.NORM, true))
                  .map(s -> ExitInit.COPY.build(s, m.decoder(), 0, arena, device.kernels()))
                  .toList());
      ExitsFile.write(folder, built, m);
    }
  }

  private static int run(StringWriter err, String... more) {
    CommandLine line = Bench.commandLine();
    line.setErr(new PrintWriter(err));
    List<String> words =
        new ArrayList<>(
            List.of("edge", "--model", "fable", "--dtype", "file", "--exits", folder.toString()));
    words.addAll(List.of(more));
    return line.execute(words.toArray(String[]::new));
  }

  @Test
  @Timeout(180)
  void aSplitIsMeasuredNextToBothExtremes() throws IOException {
    Path record = folder.resolve("edge.jsonl");
    StringWriter err = new StringWriter();
    int code =
        run(
            err,
            "--edge",
            "6",
            "--threshold",
            "0.05",
            "--links",
            "20x1,0x100",
            "--link-type",
            "f32,bf16",
            "--tokens",
            "" + TOKENS,
            "--rounds",
            "1",
            "--record",
            record.toString());
    assertThat(code).as(err.toString()).isZero();
    JsonObject result = Json.parse("record", Files.readString(record).strip(), JsonLimits.DATA);
    List<JsonObject> rows = result.getObjects("rows");
    assertThat(rows)
        .extracting(r -> r.getString("case"))
        .containsExactly(
            "edge alone",
            "20 ms, 1 Mbit/s, f32",
            "20 ms, 1 Mbit/s, bf16",
            "0 ms, 100 Mbit/s, f32",
            "0 ms, 100 Mbit/s, bf16");
    JsonObject alone = rows.getFirst();
    assertThat(alone.getDouble("edge_share", 0, 1)).isEqualTo(1);
    assertThat(alone.getDouble("bytes_up", 0, 1e9)).isZero();
    for (JsonObject row : rows.subList(1, rows.size())) {
      if (row.getString("case").endsWith("f32")) {
        assertThat(row.getDouble("equal_one_process", 0, 1)).isEqualTo(1);
      }
      int element = row.getString("case").endsWith("f32") ? 4 : 2;
      double share = row.getDouble("edge_share", 0, 1);
      double trips = row.getDouble("round_trips", 1, TOKENS);
      assertThat(trips).isEqualTo(Math.rint(TOKENS * (1 - share)));
      int hidden = 192;
      assertThat(row.getDouble("bytes_up", 0, 1e9)).isGreaterThan(PROMPT * hidden * element);
      assertThat(row.getDouble("bytes_down", 0, 1e9)).isGreaterThan(21 * trips);
      assertThat(row.getDouble("peer_bytes_up", 0, 1e9)).isBetween(4.0 * PROMPT, 1000.0);
      assertThat(row.getDouble("peer_bytes_down", 0, 1e9)).isBetween(4.0 * TOKENS, 1000.0);
    }
    // a round trip each, and one to open the link, prove the secret and ask for the model
    double seconds = TOKENS / rows.get(1).getDouble("ours", 0, 1e9);
    assertThat(seconds).isGreaterThan(0.04 * rows.get(1).getDouble("round_trips", 1, TOKENS));
    assertThat(rows.get(1).getDouble("ours", 0, 1e9))
        .isLessThan(rows.get(3).getDouble("ours", 0, 1e9));
  }

  @Test
  void wrongOptionsAreOneLine() {
    assertLine(2, "--edge 12 is outside 1 to 11", "--edge", "12");
    assertLine(1, "exits after [3] of the layers up to there, and needs one", "--edge", "5");
    assertLine(2, "--links '5' is no delay in ms and rate", "--edge", "6", "--links", "5");
    assertLine(
        2, "--case '7 ms' matches none of [edge alone, 5 ms,", "--edge", "6", "--case", "7 ms");
  }

  private static void assertLine(int code, String part, String... words) {
    StringWriter err = new StringWriter();
    assertThat(run(err, words)).isEqualTo(code);
    assertThat(err.toString().strip()).startsWith("sortie: ").contains(part).hasLineCount(1);
  }
}

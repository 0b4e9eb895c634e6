package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.eval.BackboneCheck;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --accept-backbone}: exits of another backbone are measured, and never used in silence. */
class AcceptedBackboneContractTest {
  @TempDir private static Path shared;

  private static TinyCommands tiny;
  private static Path other;

  @BeforeAll
  static void makeModels() throws IOException {
    tiny = TinyCommands.in(shared);
    other = TinyModel.write(shared.resolve("another"), 2);
  }

  private static CommandLineRun generate(String more) {
    return CommandLineRun.line(
        "generate --threads 1 --prompt hen --max-tokens 4 --model %s --exits %s" + more,
        other,
        tiny.exits());
  }

  @Test
  void itsAgreementIsPrinted() throws IOException {
    generate("").assertRefused(1, "backbone.sha256", "--accept-backbone");
    CommandLineRun accepted = generate(" --accept-backbone").succeeded();
    Path text = shared.resolve("check.txt");
    try (InputStream in = BackboneCheck.class.getResourceAsStream("backbone-check.txt")) {
      Files.copy(in, text);
    }
    JsonObject score =
        CommandLineRun.line(
                "score --threads 1 --json --accept-backbone --model %s --exits %s --file %s",
                other, tiny.exits(), text)
            .json();
    assertThat(accepted.err())
        .contains("another backbone", tiny.exits().toString(), other.toString(), "calibrate")
        .contains("share of " + score.getInt("tokens", 1, 1 << 20) + " tokens");
    for (JsonObject head : score.getObjects("heads").subList(0, 2)) {
      assertThat(accepted.err())
          .contains(
              String.format(
                  Locale.ROOT,
                  "exit %d %.2f",
                  head.getInt("exit", 1, 2),
                  head.getDouble("agreement", 0, 1)));
    }
  }

  @Test
  void nothingIsSaidOfTheirOwn() {
    assertThat(
            tiny.run(
                    "generate --prompt hen --max-tokens 4 --exits %s --accept-backbone",
                    tiny.exits())
                .succeeded()
                .err())
        .doesNotContain("warning");
  }

  /** What was measured once is written down, and not measured again. */
  @Test
  void mergedExitsBelongToBoth() {
    Path both = shared.resolve("both");
    assertThat(
            CommandLineRun.line(
                    "merge-exits --threads 1 --accept-backbone --model %s --out %s %s",
                    other, both, tiny.exits())
                .succeeded()
                .err())
        .contains("warning", "another backbone");
    for (Path model : List.of(other, tiny.model())) {
      CommandLineRun.line(
              "generate --threads 1 --prompt hen --max-tokens 4 --model %s --exits %s", model, both)
          .succeeded();
    }
    Path one = shared.resolve("one");
    tiny.run("drop-exits --exits %s --at 1 --out %s", both, one).succeeded();
    CommandLineRun.line(
            "score --threads 1 --model %s --exits %s --file %s", other, one, tiny.data())
        .succeeded();
    Path merged = shared.resolve("merged");
    tiny.run("merge-exits --replace --out %s %s %s", merged, one, tiny.exits()).succeeded();
    CommandLineRun.line(
            "score --threads 1 --model %s --exits %s --file %s", other, merged, tiny.data())
        .assertRefused(1, "backbone.sha256");
  }

  @Test
  void withoutExitsItIsRefused() {
    tiny.run("generate --prompt hen --max-tokens 4 --accept-backbone")
        .assertRefused(2, "--accept-backbone needs --exits DIR");
  }
}

package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.cli.view.JobPrinter;
import dev.sortie.eetuning.cli.view.JobResult;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.parallel.launch.LinePiece;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Long lines of ranks, which come in pieces, are printed as lines and read as results. */
@Tag("any-kernels")
class JobOutputContractTest {
  private static void say(Consumer<LinePiece> to, int rank, String... pieces) {
    for (int i = 0; i < pieces.length; i++) {
      boolean ends = i == pieces.length - 1;
      to.accept(new LinePiece(OptionalInt.of(rank), false, pieces[i], i == 0, ends));
    }
  }

  private static void begin(Consumer<LinePiece> to, int rank, String piece) {
    to.accept(new LinePiece(OptionalInt.of(rank), false, piece, true, false));
  }

  private static void end(Consumer<LinePiece> to, int rank, String piece) {
    to.accept(new LinePiece(OptionalInt.of(rank), false, piece, false, true));
  }

  @Test
  void piecesOfALineStayOneLineUnlessAnotherRankComesBetween() {
    StringWriter text = new StringWriter();
    JobPrinter printer = new JobPrinter(new PrintWriter(text));
    say(printer, 0, "a", "b", "c");
    begin(printer, 0, "d");
    say(printer, 1, "e");
    end(printer, 0, "f");
    begin(printer, 1, "g");
    say(printer, 1, "h"); // after a restart
    assertThat(text.toString().lines())
        .containsExactly("[0] abc", "[0] d", "[1] e", "[0] f", "[1] g", "[1] h");
  }

  @Test
  void theResultOfARankIsItsLastLineHoweverManyPiecesItHas() {
    JobResult result = new JobResult(piece -> {});
    say(result, 0, "{\"a\":", "1", "}");
    say(result, 1, "{\"b\":2}");
    say(result, 2, "{\"c\":3}");
    say(result, 2, "no", "{\"object\":1}");
    begin(result, 3, "{\"d\":");
    say(result, 0, "{\"a\":", "2}"); // after a restart
    end(result, 3, "4}");
    assertThat(Json.compact(result.json(4, 0)))
        .isEqualTo(
            "{\"ranks\":4,\"exit_code\":0,\"results\":{\"0\":{\"a\":2},\"1\":{\"b\":2},\"3\":{\"d\":4}}}");
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "the command is for a POSIX shell")
  void launchLosesNothingOfALongLine() {
    String script = "printf '{\"text\":\"'; head -c 200000 /dev/zero | tr '\\0' a; echo '\"}'";
    String[] words = {"launch", "--nproc", "1", "--json", "--", "sh", "-c", script};
    CommandLineRun json = CommandLineRun.of(words).succeeded();
    JsonObject results = Json.parse("output", json.out(), JsonLimits.DATA).getObject("results");
    String text = "a".repeat(200_000);
    assertThat(results.getObject("0").getString("text")).isEqualTo(text);
    CommandLineRun plain = CommandLineRun.of("launch", "--nproc", "1", "--", "sh", "-c", script);
    assertThat(plain.succeeded().out().strip()).isEqualTo("[0] {\"text\":\"" + text + "\"}");
  }
}

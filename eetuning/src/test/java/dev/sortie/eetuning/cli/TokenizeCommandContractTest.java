package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tokenize}. */
class TokenizeCommandContractTest {
  @TempDir private static Path shared;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private static CommandLineRun tokenize(String more) {
    String text = "The fox said: é <|endoftext|>";
    return CommandLineRun.line("tokenize --model %s --text %s" + more, tiny.model(), text);
  }

  @Test
  void tokenizeGivesIdsAndTheTextAgain() {
    JsonObject json = tokenize(" --json").json();
    assertThat(json.getString("text")).isEqualTo("The fox said: é <|endoftext|>");
    List<Integer> ids = json.getInts("ids", 0, 400);
    JsonObject parsed = tokenize(" --json --parse-special").json();
    assertThat(parsed.getInts("ids", 0, 400)).hasSizeLessThan(ids.size());
    assertThat(parsed.getString("text")).isEqualTo("The fox said: é ");
    assertThat(tokenize("").succeeded().out()).isEqualTo(ids + System.lineSeparator());
  }

  /** A file that a value names is not read, and its words become no options. */
  @Test
  void aValueThatBeginsWithAnAtIsThatValue() throws IOException {
    Path secret = Files.writeString(shared.resolve("secret"), "--json --text hen");
    String at = "@" + secret;
    CommandLineRun run =
        CommandLineRun.line("tokenize --json --model %s --text %s", tiny.model(), at);
    assertThat(run.json().getString("text")).isEqualTo(at);
    CommandLineRun.line("tokenize --model %s --text hen %s", tiny.model(), at)
        .assertRefused(2, "@", "secret");
    CommandLineRun.of("@" + secret).assertRefused(2, "@");
    CommandLineRun launched = CommandLineRun.of("launch", "--nproc", "1", "--", "echo", at);
    assertThat(launched.succeeded().out()).isEqualTo("[0] " + at + System.lineSeparator());
  }
}

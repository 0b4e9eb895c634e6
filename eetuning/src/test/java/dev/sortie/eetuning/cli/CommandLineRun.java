package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * What one command did.
 *
 * @param code exit code
 * @param out standard output
 * @param err standard error
 */
record CommandLineRun(int code, String out, String err) {

  /** Runs a command in this process, with standard output and error caught. */
  static CommandLineRun of(String... args) {
    PrintStream realOut = System.out;
    PrintStream realErr = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (PrintStream caughtOut = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream caughtErr = new PrintStream(err, true, StandardCharsets.UTF_8)) {
      System.setOut(caughtOut);
      System.setErr(caughtErr);
      int code = Main.commandLine(args).execute(args);
      return new CommandLineRun(
          code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(realOut);
      System.setErr(realErr);
    }
  }

  /** Runs a command written as a line, in which each {@code %s} stands for one argument. */
  static CommandLineRun line(String line, Object... args) {
    Iterator<Object> rest = List.of(args).iterator();
    String[] words =
        Arrays.stream(line.split(" "))
            .map(word -> word.equals("%s") ? rest.next().toString() : word)
            .toArray(String[]::new);
    assertThat(rest.hasNext()).as(line).isFalse();
    return of(words);
  }

  /** This run, which must have succeeded. */
  CommandLineRun succeeded() {
    assertThat(code).as(err).isZero();
    return this;
  }

  /** The JSON that is the last line of standard output; nothing else may be there. */
  JsonObject json() {
    succeeded();
    assertThat(out).hasLineCount(1);
    return Json.parse("standard output", out, JsonLimits.DATA);
  }

  /** Checks that the command failed with one line that holds {@code parts}, and said no more. */
  void assertRefused(int expectedCode, String... parts) {
    assertThat(err).hasLineCount(1).startsWith("sortie: ").contains(parts);
    assertThat(err).doesNotContain("Exception:", "\tat ", "internal error");
    assertThat(out).isEmpty();
    assertThat(code).as(err).isEqualTo(expectedCode);
  }
}

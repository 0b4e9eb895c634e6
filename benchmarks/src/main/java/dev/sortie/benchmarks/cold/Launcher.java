package dev.sortie.benchmarks.cold;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Sortie as users start it.
 *
 * @param sortie the launcher script
 * @param compute options that all commands get: threads and device
 * @param logs folder for what commands write to standard error
 */
public record Launcher(Path sortie, List<String> compute, Path logs) {

  public Launcher {
    compute = List.copyOf(compute);
  }

  /** Starts a command that computes; its standard output is a pipe. */
  CommandProcess start(List<String> command) {
    List<String> words = new ArrayList<>(command);
    words.addAll(compute);
    return process(words);
  }

  /** Runs a command that computes to its end: what it printed. */
  String run(List<String> command) {
    return output(start(command));
  }

  /** Builds Sortie if its sources changed, so that no measured run does. */
  public void build() {
    output(process(List.of("--version")));
  }

  /** What a command that computes prints with {@code --json}, once it has ended. */
  JsonObject json(List<String> command) {
    return Json.parse(command.getFirst(), run(command).strip(), JsonLimits.CONFIG);
  }

  private CommandProcess process(List<String> command) {
    List<String> words = new ArrayList<>(List.of(sortie.toString()));
    words.addAll(command);
    String name = "sortie " + command.getFirst();
    return CommandProcess.start(
        name, words, Redirect.PIPE, logs.resolve(command.getFirst() + ".log"));
  }

  private static String output(CommandProcess process) {
    try (process;
        InputStream out = process.output()) {
      String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      process.end();
      return text;
    } catch (IOException e) {
      throw new UncheckedIOException("what the command printed cannot be read", e);
    }
  }
}

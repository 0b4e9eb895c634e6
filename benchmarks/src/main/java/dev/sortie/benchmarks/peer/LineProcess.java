package dev.sortie.benchmarks.peer;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.JsonLimits;
import dev.sortie.nn.format.JsonObject;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A peer in a Python process of its own, started once and asked line by line, so that both sides
 * can take turns. The scripts are resources beside this class.
 */
public final class LineProcess implements AutoCloseable {
  private static final String HELPER = "lines.py";

  private final String script;
  private final Process process;
  private final Path log;
  private final BufferedReader answers;
  private final BufferedWriter questions;
  private final JsonObject greeting;

  private LineProcess(String script, Process process, Path log) {
    this.script = script;
    this.process = process;
    this.log = log;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
    this.questions = process.outputWriter(StandardCharsets.UTF_8);
    this.greeting = answer();
  }

  /**
   * Starts a script.
   *
   * @param script name of the resource
   * @param needs the package that it imports, for the message if it is missing
   * @throws InputException if the peer is not installed or the script fails
   */
  public static LineProcess start(Peers peers, String script, String needs, List<String> args) {
    Path python = peers.python();
    if (!peers.has(needs)) {
      throw peers.missing(needs);
    }
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(python.toString(), "-u", "-c", resource(HELPER) + "\n" + resource(script)));
    command.addAll(args);
    try {
      Path log = Files.createTempFile("sortie-peer", ".log");
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
      Peers.DISTORTING.forEach(builder.environment()::remove);
      return new LineProcess(script, builder.start(), log);
    } catch (IOException e) {
      throw new UncheckedIOException(python + " cannot be started", e);
    }
  }

  /** What the peer calls itself, with its version. */
  public String peer() {
    return greeting.getString("peer");
  }

  /** Sends a question and waits for the answer. */
  public JsonObject ask(Map<String, ?> question) {
    try {
      questions.write(Json.compact(question));
      questions.newLine();
      questions.flush();
    } catch (IOException e) {
      throw ended(e);
    }
    return answer();
  }

  private JsonObject answer() {
    try {
      String line = answers.readLine();
      if (line == null) {
        throw ended(null);
      }
      return Json.parse(script, line, JsonLimits.CONFIG);
    } catch (IOException e) {
      throw ended(e);
    }
  }

  private InputException ended(Throwable cause) {
    String last = "";
    try {
      List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
      last = lines.isEmpty() ? "" : ": " + lines.getLast();
    } catch (IOException e) {
      last = ": its log cannot be read: " + e.getMessage();
    }
    return new InputException(
        "the peer " + script + " ended" + last + " (its whole log: " + log + ")", cause);
  }

  private static String resource(String name) {
    try (InputStream in = LineProcess.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing beside " + LineProcess.class.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be read", e);
    }
  }

  /** Ends the process: its input ends, and after some seconds it is stopped. */
  @Override
  public void close() {
    try {
      questions.close();
    } catch (IOException e) {
      process.destroy(); // its end of the pipe is gone: nothing to be polite about
    }
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      } else if (process.exitValue() == 0) {
        Files.deleteIfExists(log);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(log + " cannot be deleted", e);
    }
  }
}

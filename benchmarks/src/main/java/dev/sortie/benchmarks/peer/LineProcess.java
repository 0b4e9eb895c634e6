package dev.sortie.benchmarks.peer;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A peer in a process of its own, started once and asked line by line, so that both sides can take
 * turns. Scripts are resources next to this class. Each answer is a JSON object; the first one
 * comes unasked and names the peer.
 */
public final class LineProcess implements AutoCloseable {
  private static final String HELPER = "lines.py";

  private final String name;
  private final Process process;
  private final Path log;
  private final BufferedReader answers;
  private final BufferedWriter questions;
  private final JsonObject greeting;

  private LineProcess(String name, Process process, Path log) {
    this.name = name;
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
    return start(script, peers.script(needs, List.of(HELPER, script), args), Map.of());
  }

  /**
   * Starts a program.
   *
   * @param name for messages
   * @param environment variables that the program gets in addition to this process's own
   * @throws InputException if the program fails
   */
  public static LineProcess start(
      String name, List<String> command, Map<String, String> environment) {
    try {
      Path log = Files.createTempFile("sortie-peer", ".log");
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
      Peers.DISTORTING.forEach(builder.environment()::remove);
      builder.environment().putAll(environment);
      return new LineProcess(name, builder.start(), log);
    } catch (IOException e) {
      throw new UncheckedIOException(command.getFirst() + " cannot be started", e);
    }
  }

  /** What the peer calls itself, with its version. */
  public String peer() {
    return greeting.getString("peer");
  }

  /** Sends a question and waits for the answer. */
  public JsonObject ask(Map<String, ?> question) {
    say(Json.compact(question));
    return answer();
  }

  /** Sends a line without waiting for the answer. */
  public void say(String line) {
    try {
      questions.write(line);
      questions.newLine();
      questions.flush();
    } catch (IOException e) {
      throw ended(e);
    }
  }

  /** Waits for the next answer. */
  public JsonObject answer() {
    try {
      String line = answers.readLine();
      if (line == null) {
        throw ended(null);
      }
      return Json.parse(name, line, JsonLimits.CONFIG);
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
        "the peer " + name + " ended" + last + " (its whole log: " + log + ")", cause);
  }

  /** Tells the process that there are no more questions. */
  public void hangUp() {
    try {
      questions.close();
    } catch (IOException e) {
      process.destroy(); // its end of the pipe is gone: nothing to be polite about
    }
  }

  /** Ends the process: its input ends, and after some seconds it is stopped. */
  @Override
  public void close() {
    hangUp();
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

package dev.sortie.benchmarks.measure;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A command as users run it: a process from its start to its end. What it writes to standard error
 * goes into a file, whose last line explains a failure.
 */
public final class CommandProcess implements AutoCloseable {
  private final String name;
  private final Process process;
  private final Path log;
  private final long started;

  private CommandProcess(String name, Process process, Path log, long started) {
    this.name = name;
    this.process = process;
    this.log = log;
    this.started = started;
  }

  /**
   * Starts a command; the clock runs from just before.
   *
   * @param name for messages
   * @param words the program and its arguments
   * @param output where its standard output goes; {@code PIPE} to read it here
   * @param log file for its standard error
   */
  public static CommandProcess start(
      String name, List<String> words, ProcessBuilder.Redirect output, Path log) {
    try {
      ProcessBuilder builder =
          new ProcessBuilder(words).redirectOutput(output).redirectError(log.toFile());
      long started = System.nanoTime();
      return new CommandProcess(name, builder.start(), log, started);
    } catch (IOException e) {
      throw new UncheckedIOException(words.getFirst() + " cannot be started", e);
    }
  }

  /** Its standard output, if that is a pipe. */
  public InputStream output() {
    return process.getInputStream();
  }

  /** Seconds since its start. */
  public double seconds() {
    return (System.nanoTime() - started) * 1e-9;
  }

  /**
   * Waits until it ends: seconds since its start.
   *
   * @throws InputException if its exit code is not 0
   */
  public double end() {
    try {
      int code = process.waitFor();
      double seconds = seconds();
      if (code != 0) {
        throw failed(code);
      }
      return seconds;
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /**
   * Lets it run for so long and then kills it.
   *
   * @throws InputException if it ends before
   */
  public void runFor(int seconds) {
    try {
      if (process.waitFor(seconds, TimeUnit.SECONDS)) {
        throw failed(process.exitValue());
      }
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** Its number. */
  public long pid() {
    return process.pid();
  }

  /**
   * Does nothing while it runs.
   *
   * @throws InputException if it has ended
   */
  public void check() {
    if (!process.isAlive()) {
      throw failed(process.exitValue());
    }
  }

  /** Waits until it has ended, whatever its exit code is. */
  public void awaitEnd() {
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** The last line that it wrote to standard error; empty if there is none. */
  public String lastLine() {
    try {
      List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
      return lines.isEmpty() ? "" : lines.getLast();
    } catch (IOException e) {
      throw new UncheckedIOException(log + " cannot be read", e);
    }
  }

  /** Ends it and all that it started, if they still run. */
  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
  }

  private InputException failed(int code) {
    String said = lastLine();
    return new InputException(
        "%s ended with code %d: %s"
            .formatted(name, code, said.isEmpty() ? "it said nothing" : said));
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("interrupted while measuring", e);
  }
}

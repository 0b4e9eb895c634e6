package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.TestJvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A command in a process of its own, with an environment and a standard input of its own. */
final class CommandLineProcess implements AutoCloseable {
  private final Process process;
  private final Path errors;
  private final PrintStream in;
  private final BufferedReader out;

  CommandLineProcess(Map<String, String> environment, String... words) throws IOException {
    List<String> command = command(words);
    errors = Files.createTempFile("sortie-test", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    builder.environment().putAll(environment);
    process = builder.start();
    in = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** The words that start a JVM with this command. */
  static List<String> command(String... words) {
    return TestJvm.command(Main.class, words);
  }

  long pid() {
    return process.pid();
  }

  /** Gives it a line. */
  void say(String line) {
    in.println(line);
  }

  /** The next line of its output, null at the end. */
  String hear() throws IOException {
    return out.readLine();
  }

  /** What it did in the end; what was heard before is not in the output. */
  CommandLineRun end() throws IOException, InterruptedException {
    in.close();
    String rest = out.lines().map(line -> line + "\n").collect(Collectors.joining());
    int code = process.waitFor();
    String err =
        Files.readString(errors)
            .lines()
            .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
            .map(line -> line + "\n")
            .collect(Collectors.joining());
    return new CommandLineRun(code, rest, err);
  }

  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    Files.deleteIfExists(errors);
  }
}

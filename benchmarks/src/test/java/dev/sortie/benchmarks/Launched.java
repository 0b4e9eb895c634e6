package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.ranks.ClassPath;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;

/** Benchmarks that start the program: a launcher of the classes under test, while this is open. */
final class Launched implements AutoCloseable {
  private static final String ROOT = "sortie.root";

  private final Path folder;
  private final String root;

  /** How a command ended. */
  record Run(int code, String err) {}

  Launched(Path folder) throws IOException {
    this.folder = folder;
    replace(sortie());
    root = System.setProperty(ROOT, folder.toString());
  }

  /** The command in the launcher's place. */
  private static String sortie() {
    return "exec '%s' --add-modules jdk.incubator.vector -cp '%s' dev.sortie.eetuning.cli.Main \"$@\""
        .formatted(Path.of(System.getProperty("java.home"), "bin", "java"), ClassPath.running());
  }

  /** Another command in the launcher's place. */
  void replace(String command) throws IOException {
    Path script = Files.writeString(folder.resolve("sortie"), "#!/bin/sh\n" + command + "\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
  }

  /** A command before the launcher's. */
  void before(String command) throws IOException {
    replace(command + "\n" + sortie());
  }

  static Run run(String... args) {
    StringWriter err = new StringWriter();
    CommandLine line = Bench.commandLine();
    line.setErr(new PrintWriter(err));
    return new Run(line.execute(args), err.toString());
  }

  @Override
  public void close() {
    if (root == null) {
      System.clearProperty(ROOT);
    } else {
      System.setProperty(ROOT, root);
    }
  }
}

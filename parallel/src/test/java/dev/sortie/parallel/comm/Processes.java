package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** JVMs that run classes of these tests. */
public final class Processes {
  private Processes() {}

  /** A process and the lines that it prints. */
  public record Running(Process process, BufferedReader lines) {
    /** Waits for a line, past others. */
    public void await(String line) throws IOException {
      for (String next; !(next = String.valueOf(lines.readLine())).equals(line); ) {
        assertThat(next).as("instead of " + line).isNotEqualTo("null");
      }
    }

    /** The last line, after the end; fails if the process lives longer than {@code limit}. */
    public String lastLine(Duration limit) throws IOException, InterruptedException {
      assertThat(process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS))
          .as("process %d ends within %s", process.pid(), limit)
          .isTrue();
      String last = "";
      for (String line; (line = lines.readLine()) != null; ) {
        last = line;
      }
      return last;
    }

    /** Sends a signal, such as {@code STOP}. */
    public void signal(String name) throws IOException, InterruptedException {
      new ProcessBuilder("kill", "-" + name, process.pid() + "").start().waitFor();
    }
  }

  /** Starts a JVM. */
  public static Running start(Class<?> main, String... arguments) throws IOException {
    List<String> command = command(main);
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    return new Running(process, process.inputReader());
  }

  /** The command of a JVM. Classes come from the class path, whatever the tests run from. */
  public static List<String> command(Class<?> main) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC"));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx64m"));
    command.addAll(List.of("-cp", classPath(), main.getName()));
    return command;
  }

  /** Where the classes of these tests, and what they need, lie. */
  static String classPath() {
    List<String> parts = new ArrayList<>();
    for (String property : List.of("jdk.module.path", "java.class.path")) {
      String path = System.getProperty(property);
      if (path != null && !path.isBlank()) {
        parts.add(path);
      }
    }
    parts.add(testClasses().toString());
    return String.join(File.pathSeparator, parts);
  }

  /**
   * The folder of this class: tests are patched into the module, so its own path is another one.
   */
  private static Path testClasses() {
    try {
      Path folder = Path.of(Processes.class.getResource("Processes.class").toURI());
      for (int i = 0; i < Processes.class.getName().split("\\.").length; i++) {
        folder = folder.getParent();
      }
      return folder;
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}

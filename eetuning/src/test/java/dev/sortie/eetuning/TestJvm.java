package dev.sortie.eetuning;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** JVMs that tests start, with the classes and kernels of the test. */
public final class TestJvm {
  private TestJvm() {}

  /** The words that start a JVM with this main class and arguments. */
  public static List<String> command(Class<?> main, String... words) {
    String classPath =
        Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
            .filter(Objects::nonNull)
            .filter(path -> !path.isEmpty())
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-cp", classPath));
    command.add("--enable-native-access=ALL-UNNAMED");
    String kernels = System.getProperty("sortie.kernels");
    if (kernels != null) {
      command.add("-Dsortie.kernels=" + kernels);
    }
    command.add(main.getName());
    command.addAll(List.of(words));
    return command;
  }
}

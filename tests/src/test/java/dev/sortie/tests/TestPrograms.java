package dev.sortie.tests;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** JVMs that tests start, with the classes of the test as a class path. */
final class TestPrograms {
  private TestPrograms() {}

  /**
   * The words that start a JVM.
   *
   * @param words a main class or a source file, and its arguments
   */
  static List<String> command(String... words) {
    String classPath =
        Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
            .filter(Objects::nonNull)
            .filter(path -> !path.isEmpty())
            .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
            .map(path -> Path.of(path).toAbsolutePath().toString())
            .collect(Collectors.joining(File.pathSeparator));
    return Stream.concat(
            Stream.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath),
            Stream.of(words))
        .toList();
  }
}

package dev.sortie.benchmarks.ranks;

import java.io.File;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Where the classes of this process come from, as a class path for another one. */
public final class ClassPath {
  private ClassPath() {}

  /** Its entries, separated as a class path is. */
  public static String running() {
    List<String> properties = List.of("jdk.module.path", "java.class.path");
    return properties.stream()
        .flatMap(name -> Stream.ofNullable(System.getProperty(name)))
        .filter(path -> !path.isBlank())
        .collect(Collectors.joining(File.pathSeparator));
  }
}

package dev.sortie.eetuning.exercise;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.TextFiles;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The class in a learner's file, compiled to a temporary folder.
 *
 * @param <T> what it implements
 */
final class Solution<T> implements AutoCloseable {
  private static final String SUFFIX = ".java";

  private final Path folder;
  private final URLClassLoader loader;
  private final Class<? extends T> made;

  private Solution(Path folder, URLClassLoader loader, Class<? extends T> made) {
    this.folder = folder;
    this.loader = loader;
    this.made = made;
  }

  /**
   * Compiles a file.
   *
   * @throws InputException if it cannot be read, has no class of its name that implements {@code
   *     type}, or this Java has no compiler; a {@link CompileException} if it does not compile
   */
  static <T> Solution<T> compile(Path file, Class<T> type) {
    if (!file.toString().endsWith(SUFFIX)) {
      throw new InputException(file + ": is no Java file; its name ends with " + SUFFIX);
    }
    TextFiles.read(file); // says what is wrong with the file itself
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new InputException(
          "exercises need the compiler of a JDK, which this Java does not have; run ./sortie from a"
              + " checkout of the sources");
    }
    Path folder = null;
    URLClassLoader loader = null;
    boolean done = false;
    try {
      folder = Files.createTempDirectory("sortie-exercise-");
      compile(compiler, file, folder);
      loader =
          new URLClassLoader(new URL[] {folder.toUri().toURL()}, Exercise.class.getClassLoader());
      Solution<T> solution = new Solution<>(folder, loader, find(file, folder, loader, type));
      done = true;
      return solution;
    } catch (IOException e) {
      throw new UncheckedIOException("the temporary folder for classes", e);
    } finally {
      if (!done) {
        release(loader, folder);
      }
    }
  }

  private static void compile(JavaCompiler compiler, Path file, Path folder) throws IOException {
    StringWriter said = new StringWriter();
    List<String> options =
        List.of("-d", folder.toString(), "-cp", classPath(), "-proc:none", "-implicit:none");
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      if (!compiler
          .getTask(said, files, null, options, null, files.getJavaFileObjects(file))
          .call()) {
        throw new CompileException(file + ": does not compile", said.toString().lines().toList());
      }
    }
  }

  /** Where this program's own classes are, modules or not. */
  private static String classPath() {
    return Stream.of("jdk.module.path", "java.class.path")
        .map(System::getProperty)
        .filter(Objects::nonNull)
        .filter(path -> !path.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static <T> Class<? extends T> find(
      Path file, Path folder, ClassLoader loader, Class<T> type) throws IOException {
    String name = file.getFileName().toString().replace(SUFFIX, "");
    Path found;
    try (Stream<Path> classes = Files.walk(folder)) {
      found = classes.filter(c -> c.endsWith(name + ".class")).findFirst().orElse(null);
    }
    if (found != null) {
      String path = folder.relativize(found).toString();
      String className = path.substring(0, path.lastIndexOf('.')).replace(File.separatorChar, '.');
      try {
        Class<?> candidate = Class.forName(className, false, loader);
        if (type.isAssignableFrom(candidate) && !Modifier.isAbstract(candidate.getModifiers())) {
          return candidate.asSubclass(type);
        }
      } catch (ClassNotFoundException | LinkageError e) {
        throw new InputException(file + ": its class cannot be loaded: " + e, e);
      }
    }
    throw new InputException(
        "%s: has no class %s that implements %s; begin with the file that --out writes"
            .formatted(file, name, type.getName()));
  }

  /** An object of the class. */
  T make() throws Exception {
    Constructor<? extends T> constructor = made.getDeclaredConstructor();
    constructor.setAccessible(true);
    return constructor.newInstance();
  }

  @Override
  public void close() {
    release(loader, folder);
  }

  private static void release(URLClassLoader loader, Path folder) {
    try {
      if (loader != null) {
        loader.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the temporary folder " + folder, e);
    }
    if (folder != null) {
      Folders.delete(folder);
    }
  }
}

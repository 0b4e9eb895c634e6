package dev.sortie.parallel.comm.transport.mpi;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where MPI libraries lie. */
public final class MpiFiles {
  /** Names the library to take. */
  public static final String VARIABLE = "SORTIE_MPI_LIBRARY";

  /** With a version first: without one it is often a script for the linker. */
  private static final Pattern LIBRARY =
      Pattern.compile("libmpi(ch|_abi)?(\\.\\d+)*\\.(so(\\.\\d+)*|dylib)");

  private static final int SCRIPT_BYTES = 4096;
  private static final List<String> STARTERS = List.of("mpirun", "mpiexec");
  private static final List<String> LIBRARY_FOLDERS =
      List.of("lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu");
  private static final List<String> FOLDERS =
      List.of(
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/usr/lib64",
          "/usr/lib64/openmpi/lib",
          "/usr/lib64/mpich/lib",
          "/usr/lib",
          "/usr/local/lib",
          "/opt/homebrew/lib");

  private MpiFiles() {}

  /**
   * Libraries, the best first: the one that {@link #VARIABLE} names, those in the folders of {@code
   * LD_LIBRARY_PATH}, those next to the launchers on the {@code PATH}, then the system's.
   */
  public static List<Path> find(Map<String, String> environment) {
    String named = environment.getOrDefault(VARIABLE, "");
    if (!named.isBlank()) {
      return List.of(Path.of(named));
    }
    List<Path> folders = new ArrayList<>(paths(environment.getOrDefault("LD_LIBRARY_PATH", "")));
    for (Path starter : starters(environment)) {
      LIBRARY_FOLDERS.forEach(lib -> folders.add(starter.getParent().resolveSibling(lib)));
    }
    FOLDERS.forEach(folder -> folders.add(new File(folder).toPath()));
    return folders.stream().distinct().flatMap(MpiFiles::libraries).distinct().toList();
  }

  /** The launchers on the {@code PATH}. */
  public static List<Path> starters(Map<String, String> environment) {
    return paths(environment.getOrDefault("PATH", "")).stream()
        .flatMap(folder -> STARTERS.stream().map(folder::resolve))
        .filter(file -> file.isAbsolute() && Files.isExecutable(file))
        .toList();
  }

  private static Stream<Path> libraries(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Stream.empty();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> LIBRARY.matcher(file.getFileName().toString()).matches())
          .filter(MpiFiles::isLibrary)
          .map(MpiFiles::real)
          .distinct()
          .sorted(Comparator.comparing(file -> file.getFileName().toString().contains("_abi")))
          .toList()
          .stream();
    } catch (IOException | UncheckedIOException e) {
      return Stream.empty(); // a folder that may not be read holds nothing that could be loaded
    }
  }

  private static boolean isLibrary(Path file) {
    try {
      return Files.isRegularFile(file) && Files.size(file) > SCRIPT_BYTES;
    } catch (IOException e) {
      return false; // gone since it was listed
    }
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file; // gone since it was listed: loading it will say so
    }
  }

  /** The folders of a search path; parts that no file system could have are left out. */
  private static List<Path> paths(String list) {
    List<Path> paths = new ArrayList<>();
    for (String part : list.split(Pattern.quote(File.pathSeparator))) {
      if (!part.isEmpty() && part.indexOf('\0') < 0) {
        paths.add(new File(part).toPath());
      }
    }
    return paths;
  }
}

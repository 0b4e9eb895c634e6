package dev.sortie.eetuning.doctor;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** An MPI installation, looked for by name alone. */
final class MpiTopic {
  private static final Pattern LIBRARY =
      Pattern.compile("libmpi(ch)?(\\.\\d+)*\\.(so(\\.\\d+)*|dylib)|msmpi\\.dll");
  private static final List<String> STARTERS = List.of("mpirun", "mpiexec", "mpiexec.exe");
  private static final List<String> FOLDERS =
      List.of(
          "/usr/lib/x86_64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/usr/lib64",
          "/usr/lib64/openmpi/lib",
          "/usr/lib64/mpich/lib",
          "/usr/lib",
          "/usr/local/lib",
          "/opt/homebrew/lib",
          "C:\\Windows\\System32");

  private MpiTopic() {}

  /** Looks in the places where systems put it, and in those that the environment names. */
  static Topic find() {
    List<Path> libraries = new ArrayList<>(paths(System.getenv("LD_LIBRARY_PATH")));
    FOLDERS.forEach(folder -> libraries.addAll(paths(folder)));
    return find(libraries, paths(System.getenv("PATH")));
  }

  static Topic find(List<Path> libraryFolders, List<Path> programFolders) {
    Topic t = new Topic("mpi");
    List<String> libraries =
        libraryFolders.stream().distinct().flatMap(MpiTopic::libraries).limit(4).toList();
    List<String> starters =
        programFolders.stream()
            .distinct()
            .flatMap(folder -> STARTERS.stream().map(folder::resolve))
            .filter(Files::isExecutable)
            .map(Path::toString)
            .limit(2)
            .toList();
    t.fact("libraries", libraries).fact("starters", starters);
    if (libraries.isEmpty() && starters.isEmpty()) {
      t.fact("remark", "no MPI was found; only ranks on MPI would need one");
    }
    return t;
  }

  private static Stream<String> libraries(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Stream.empty();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> LIBRARY.matcher(file.getFileName().toString()).matches())
          .map(Path::toString)
          .sorted()
          .toList()
          .stream();
    } catch (IOException | UncheckedIOException e) {
      return Stream.empty(); // a folder that may not be read holds nothing that could be loaded
    }
  }

  /** The folders of a search path; parts that no file system could have are left out. */
  private static List<Path> paths(String list) {
    List<Path> paths = new ArrayList<>();
    if (list != null && !list.isEmpty()) {
      for (String part : list.split(Pattern.quote(File.pathSeparator))) {
        if (!part.isEmpty() && part.indexOf('\0') < 0) {
          paths.add(new File(part).toPath());
        }
      }
    }
    return paths;
  }
}

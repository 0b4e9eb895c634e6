package dev.sortie.eetuning.doctor;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.mpi.MpiFiles;
import dev.sortie.parallel.comm.transport.mpi.MpiTransport;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The MPI installations, and which of them ranks would take. */
final class MpiTopic {
  private static final int MOST_LIBRARIES = 4;
  private static final int MOST_STARTERS = 2;

  private MpiTopic() {}

  /** Looks in the places where systems put it, and in those that the environment names. */
  static Topic find() {
    Map<String, String> environment = System.getenv();
    return of(MpiFiles.find(environment), MpiFiles.starters(environment), MpiTransport::describe);
  }

  /**
   * What was found.
   *
   * @param libraries the one to take first
   * @param version what a library says of itself
   */
  static Topic of(List<Path> libraries, List<Path> starters, Function<Path, String> version) {
    Topic t = new Topic("mpi");
    t.fact("libraries", names(libraries, MOST_LIBRARIES));
    t.fact("starters", names(starters, MOST_STARTERS));
    if (!libraries.isEmpty()) {
      try {
        t.fact("version", version.apply(libraries.getFirst()));
      } catch (InputException e) {
        t.fact("remark", e.getMessage());
      }
    } else if (starters.isEmpty()) {
      t.fact("remark", "no MPI was found; only ranks on MPI would need one");
    }
    return t;
  }

  private static List<String> names(List<Path> files, int most) {
    return files.stream().limit(most).map(Path::toString).toList();
  }
}

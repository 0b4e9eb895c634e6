package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.mpi.MpiFiles;
import dev.sortie.parallel.comm.transport.mpi.MpiTransport;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** How a rank that an MPI launcher has started joins the others through MPI itself. */
final class MpiRanks {
  private static final Duration SILENCE = Duration.ofSeconds(10);

  /** Where launchers say how many ranks they have started. */
  private static final List<String> WORLDS = List.of("OMPI_COMM_WORLD_SIZE", "PMI_SIZE");

  private MpiRanks() {}

  static MpiTransport join(Map<String, String> environment) {
    if (Tls.read(environment).isPresent()) {
      throw new InputException(
          Tls.KEY_STORE
              + " asks for TLS, which connections of MPI do not have; set SORTIE_TRANSPORT=tcp, or"
              + " unset it");
    }
    List<Path> libraries = MpiFiles.find(environment);
    if (libraries.isEmpty()) {
      throw new InputException(
          "no MPI library was found; name it with %s=/path/to/libmpi.so"
              .formatted(MpiFiles.VARIABLE));
    }
    MpiTransport transport = MpiTransport.join(libraries.getFirst(), SILENCE);
    for (String name : WORLDS) {
      String launched = environment.getOrDefault(name, "");
      if (!launched.isBlank() && !launched.strip().equals(String.valueOf(transport.world()))) {
        throw new InputException(
            "%s=%s, but %s sees %d rank(s): it is of another MPI than the launcher; name the right"
                + " one with %s"
                    .formatted(
                        name,
                        launched,
                        libraries.getFirst(),
                        transport.world(),
                        MpiFiles.VARIABLE));
      }
    }
    return transport;
  }
}

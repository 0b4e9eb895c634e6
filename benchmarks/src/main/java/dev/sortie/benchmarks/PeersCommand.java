package dev.sortie.benchmarks;

import dev.sortie.benchmarks.peer.Peers;
import dev.sortie.benchmarks.peer.PeersInstaller;
import dev.sortie.nn.json.Json;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Installs the peers. */
@Command(
    name = "peers",
    mixinStandardHelpOptions = true,
    description =
        "Installs what compare needs into one Python virtual environment outside the tree:"
            + " OpenBLAS, llama.cpp, PyTorch, JAX, Open MPI (about 6 GB).")
final class PeersCommand implements Callable<Integer> {
  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description =
          "The environment; by default $SORTIE_PEERS, or sortie/peers in the user's cache folder.")
  private Path dir;

  @Option(
      names = "--python",
      paramLabel = "PYTHON",
      defaultValue = "python3",
      description = "The Python (3.11 or newer) to make it with. Default: ${DEFAULT-VALUE}.")
  private String python;

  @Option(
      names = "--native",
      description =
          "Also builds llama.cpp for this processor (a C++ compiler and CMake are needed; some 12"
              + " minutes on two cores). Where it is there, compare takes it as the peer.")
  private boolean build;

  @Option(names = "--json", description = "Where they are, as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    Peers peers = dir == null ? Peers.find(System.getenv()) : new Peers(dir.toAbsolutePath());
    new PeersInstaller(peers, System.err::println).install(python, build);
    String folder = peers.folder().toString();
    System.out.println(json ? Json.compact(Json.object("folder", folder)) : folder);
    if (dir != null && !peers.equals(Peers.find(System.getenv()))) {
      System.err.println("set " + Peers.VARIABLE + "=" + peers.folder() + " to use them");
    }
    return 0;
  }
}

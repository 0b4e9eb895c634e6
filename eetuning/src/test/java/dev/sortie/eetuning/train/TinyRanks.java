package dev.sortie.eetuning.train;

import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.parallel.mesh.Mesh;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Ranks that are threads of this JVM. */
public final class TinyRanks {
  private TinyRanks() {}

  /** How they are joined. */
  public enum Joining {
    /** In this JVM's memory. */
    THREADS {
      @Override
      List<Supplier<Transport>> world(int ranks) {
        return ThreadTransport.world(ranks).stream()
            .<Supplier<Transport>>map(t -> () -> t)
            .toList();
      }
    },
    /** Over TCP. */
    TCP {
      @Override
      List<Supplier<Transport>> world(int ranks) throws IOException {
        byte[] secret = "a secret of this test".getBytes(StandardCharsets.UTF_8);
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
          InetSocketAddress master =
              new InetSocketAddress(InetAddress.getLoopbackAddress(), free.getLocalPort());
          return IntStream.range(0, ranks)
              .<Supplier<Transport>>mapToObj(
                  r -> () -> TcpTransport.join(TcpTransport.Options.of(master, r, ranks, secret)))
              .toList();
        }
      }
    };

    /** One for each rank, to be called by all ranks at once. */
    abstract List<Supplier<Transport>> world(int ranks) throws IOException;
  }

  /** What each rank of a mesh returns; if some fail, throws the reason. */
  public static <T> List<T> run(Mesh mesh, Joining joining, Function<ProcessGroups, T> rank)
      throws Exception {
    List<Supplier<Transport>> transports = joining.world(mesh.world());
    List<T> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(mesh.world())) {
      List<Future<T>> runs = new ArrayList<>();
      for (Supplier<Transport> t : transports) {
        runs.add(threads.submit(() -> rank.apply(ProcessGroups.of(t.get(), mesh))));
      }
      List<Throwable> failures = new ArrayList<>();
      for (Future<T> run : runs) {
        try {
          results.add(run.get());
        } catch (ExecutionException e) {
          failures.add(e.getCause());
        }
      }
      if (!failures.isEmpty()) {
        throw (Exception) ThreadRanks.reason(failures);
      }
    }
    return results;
  }
}

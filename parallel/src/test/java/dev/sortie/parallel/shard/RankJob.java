package dev.sortie.parallel.shard;

import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.transport.ThreadTransport;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Ranks as threads of this JVM, each with kernels and memory of its own. */
final class RankJob {
  private static final CommOptions OPTIONS =
      CommOptions.defaults().withDeadline(Duration.ofSeconds(30));

  /**
   * What a rank computes with.
   *
   * @param arena lives as long as the job
   */
  record Rank(ShardGroup group, Ops ops, NativeArena arena) {
    int position() {
      return group.position();
    }
  }

  private RankJob() {}

  /** What {@code body} returns on each rank; fails with the first rank that fails. */
  static <T> List<T> run(int ranks, Function<Rank, T> body) {
    List<Transport> world = ThreadTransport.world(ranks);
    List<T> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
      List<Future<T>> runs = new ArrayList<>();
      for (Transport transport : world) {
        runs.add(threads.submit(() -> one(transport, body)));
      }
      List<Throwable> failures = new ArrayList<>();
      for (Future<T> run : runs) {
        try {
          results.add(run.get());
        } catch (ExecutionException e) {
          failures.add(e.getCause());
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      }
      if (!failures.isEmpty()) {
        AssertionError all = new AssertionError(failures.getFirst());
        failures.stream().skip(1).forEach(all::addSuppressed);
        throw all;
      }
    }
    return results;
  }

  private static <T> T one(Transport transport, Function<Rank, T> body) {
    try (Transport t = transport;
        Communicator communicator = Communicator.over(t, OPTIONS);
        Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        NativeArena arena = new NativeArena("rank")) {
      try {
        T result =
            body.apply(new Rank(new ShardGroup(communicator), new Ops(device, workspace), arena));
        communicator.barrier(); // nobody's memory goes while another may read it
        return result;
      } catch (RuntimeException | Error e) {
        communicator.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
  }
}

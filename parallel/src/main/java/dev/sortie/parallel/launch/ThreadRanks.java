package dev.sortie.parallel.launch;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;

/** Ranks as threads of this JVM: for trying out a layout without a job. */
public final class ThreadRanks {
  private ThreadRanks() {}

  /**
   * Runs the same code on each rank and waits for all. Where one fails the others are told, and
   * {@link #reason} is thrown with the others suppressed.
   *
   * @param body gets the communicator of all ranks
   * @return what it returns, by rank
   */
  public static <T> List<T> run(int ranks, CommOptions options, Function<Communicator, T> body) {
    List<T> results = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
      List<Future<T>> runs = new ArrayList<>();
      for (Transport transport : ThreadTransport.world(ranks)) {
        runs.add(threads.submit(() -> one(transport, options, body)));
      }
      for (Future<T> run : runs) {
        try {
          results.add(run.get());
        } catch (ExecutionException e) {
          failures.add(e.getCause());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          failures.add(e);
        }
      }
    }
    if (!failures.isEmpty()) {
      throw failure(failures);
    }
    return results;
  }

  private static <T> T one(
      Transport transport, CommOptions options, Function<Communicator, T> body) {
    try (Transport t = transport;
        Communicator communicator = GroupCommunicator.over(t, options)) {
      try {
        return body.apply(communicator);
      } catch (RuntimeException | Error e) {
        communicator.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
  }

  /**
   * Why several ranks failed: the first failure by rank that is not of the communicator, for ranks
   * that were in a call only report it; else the first.
   */
  public static Throwable reason(List<Throwable> failures) {
    return failures.stream()
        .filter(t -> !(t instanceof CommException))
        .findFirst()
        .orElseGet(failures::getFirst);
  }

  private static RuntimeException failure(List<Throwable> failures) {
    Throwable first = reason(failures);
    failures.stream().filter(t -> t != first).forEach(first::addSuppressed);
    if (first instanceof Error error) {
      throw error;
    }
    return first instanceof RuntimeException e ? e : new IllegalStateException(first);
  }
}

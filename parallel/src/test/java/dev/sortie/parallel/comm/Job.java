package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs the same code on each rank of a job, the ranks being threads, over any transport. */
final class Job {
  /** Joins a job as one of its ranks. */
  interface Joining {
    Transport join(int rank) throws Exception;
  }

  /** What each rank does. */
  interface Body {
    void run(Communicator communicator) throws Exception;
  }

  private Job() {}

  /** Fails with the first failure, by rank. */
  static void run(int ranks, Joining joining, CommOptions options, Body body) {
    for (Throwable failure : failures(ranks, joining, options, body)) {
      if (failure != null) {
        throw new AssertionError("a rank failed: " + failure, failure);
      }
    }
  }

  /** The failure of each rank, null for those that end well. */
  static List<Throwable> failures(int ranks, Joining joining, CommOptions options, Body body) {
    List<Throwable> failures = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(ranks)) {
      List<Future<?>> runs = new ArrayList<>();
      for (int i = 0; i < ranks; i++) {
        int rank = i;
        runs.add(threads.submit(() -> one(rank, joining, options, body)));
      }
      for (Future<?> run : runs) {
        failures.add(failure(run));
      }
    }
    return failures;
  }

  private static Void one(int rank, Joining joining, CommOptions options, Body body)
      throws Exception {
    try (Transport transport = joining.join(rank);
        Communicator world = GroupCommunicator.over(transport, options)) {
      body.run(world);
    }
    return null;
  }

  private static Throwable failure(Future<?> run) {
    try {
      run.get();
      return null;
    } catch (ExecutionException e) {
      return e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return e;
    }
  }
}

package dev.sortie.parallel.comm.group;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Handle;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Calls that must follow each other: synchronous ones run on the caller's thread, asynchronous ones
 * on a thread of the stream, which starts with the first of them.
 */
final class CallStream implements AutoCloseable {
  private final String name;
  private ExecutorService thread;
  private CompletableFuture<Void> last = CompletableFuture.completedFuture(null);

  CallStream(String name) {
    this.name = name;
  }

  /** Runs after all that was started before, which reports its own failures. */
  synchronized void run(Runnable call) {
    if (!last.isDone()) {
      last.handle((done, failure) -> done).join();
    }
    call.run();
  }

  synchronized Handle start(Runnable call) {
    if (thread == null) {
      thread = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
    }
    CompletableFuture<Void> done = CompletableFuture.runAsync(call, thread);
    last = done;
    return new Started(done);
  }

  /** Waits for what was started. */
  @Override
  public synchronized void close() {
    if (thread != null) {
      thread.close();
    }
  }

  private record Started(CompletableFuture<Void> done) implements Handle {
    @Override
    public boolean isDone() {
      return done.isDone();
    }

    @Override
    public void await() {
      finish(done);
    }
  }

  /** Waits; a failure is thrown with the stack of the caller, who is the one to read it. */
  private static void finish(CompletableFuture<Void> done) {
    try {
      done.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case CommException c -> throw new CommException(c.kind(), c.getMessage(), c);
        case RuntimeException r -> throw r;
        case Error error -> throw error;
        case null, default -> throw e;
      }
    }
  }
}

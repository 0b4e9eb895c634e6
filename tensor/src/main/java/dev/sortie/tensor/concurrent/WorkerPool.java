package dev.sortie.tensor.concurrent;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Fixed threads for parallel regions. Work is split statically, so that a region's result does not
 * depend on timing; the caller takes part as thread 0. Idle threads spin for a moment, since
 * regions follow each other within microseconds, then park. Regions started inside a region run
 * inline. The first exception travels to the caller.
 */
public final class WorkerPool implements AutoCloseable {
  /**
   * Spins before an idle worker parks: some 50 µs, longer than the gap between two kernels of one
   * layer.
   */
  private static final int SPINS = 20_000;

  private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

  /** Work of one thread in a region. */
  @FunctionalInterface
  public interface Task {
    /** Runs part {@code thread} of {@code threads}. */
    void run(int thread, int threads);
  }

  /** Work on a range of indices. */
  @FunctionalInterface
  public interface RangeTask {
    /** Runs indices {@code [from, to)}. */
    void run(int from, int to);
  }

  private final int threads;
  private final Thread[] workers;
  private final AtomicInteger running = new AtomicInteger();
  private final Object regionLock = new Object();
  private volatile Throwable failure;
  private volatile int epoch;
  private volatile boolean closed;
  private Task task;

  /** A pool of {@code threads} in all, the caller counted. */
  public WorkerPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, got " + threads);
    }
    this.threads = threads;
    this.workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int thread = i + 1;
      workers[i] =
          Thread.ofPlatform()
              .daemon()
              .name("sortie-worker-" + thread)
              .unstarted(() -> loop(thread));
    }
    for (Thread w : workers) {
      w.start();
    }
  }

  /** One thread for each core that the JVM may use. */
  public static WorkerPool ofCores() {
    return new WorkerPool(Runtime.getRuntime().availableProcessors());
  }

  /** Threads in all. */
  public int threads() {
    return threads;
  }

  /** Runs {@code task} once on every thread and waits for all. */
  public void run(Task task) {
    if (threads == 1 || INSIDE.get()) {
      for (int t = 0; t < threads; t++) {
        task.run(t, threads);
      }
      return;
    }
    synchronized (regionLock) {
      if (closed) {
        throw new IllegalStateException("worker pool is closed");
      }
      this.task = task;
      running.set(workers.length);
      epoch++; // publishes the task
      for (Thread w : workers) {
        LockSupport.unpark(w);
      }
      INSIDE.set(true);
      try {
        task.run(0, threads);
      } catch (Throwable e) {
        failure = e;
      } finally {
        INSIDE.set(false);
      }
      for (int spins = 0; running.get() != 0; spins++) {
        if (spins < SPINS) {
          Thread.onSpinWait();
        } else {
          Thread.yield(); // the others may be waiting for this core
        }
      }
      this.task = null;
      Throwable e = failure;
      if (e != null) {
        failure = null;
        throw rethrow(e);
      }
    }
  }

  /**
   * Splits {@code [0, n)} into one contiguous part a thread; runs inline when {@code n} is below
   * {@code 2 * grain}.
   */
  public void range(int n, int grain, RangeTask task) {
    if (n <= 0) {
      return;
    }
    int parts = Math.min(threads, Math.max(1, n / Math.max(1, grain)));
    if (parts == 1 || INSIDE.get()) {
      task.run(0, n);
      return;
    }
    run(
        (t, all) -> {
          if (t < parts) {
            int from = (int) ((long) n * t / parts);
            int to = (int) ((long) n * (t + 1) / parts);
            if (from < to) {
              task.run(from, to);
            }
          }
        });
  }

  private void loop(int thread) {
    INSIDE.set(true);
    int seen = 0;
    while (true) {
      int spins = 0;
      while (epoch == seen && !closed) {
        if (++spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      if (closed) {
        return;
      }
      seen = epoch;
      try {
        task.run(thread, threads);
      } catch (Throwable e) {
        failure = e;
      } finally {
        running.decrementAndGet();
      }
    }
  }

  private static RuntimeException rethrow(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) e;
  }

  @Override
  public void close() {
    synchronized (regionLock) {
      closed = true;
      for (Thread w : workers) {
        LockSupport.unpark(w);
      }
    }
  }
}

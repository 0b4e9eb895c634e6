package dev.sortie.tensor.concurrent;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Fixed threads for parallel regions. Work is split statically into one part a thread, so that a
 * region's result does not depend on timing; the caller runs part 0. Idle threads spin for a
 * moment, since regions follow each other within microseconds, then park.
 *
 * <p>A part that its worker has not begun when the caller is done with its own is taken back and
 * run by the caller. So a region never waits for a thread to wake up, and a core that another
 * program holds costs its share of the work and not a time slice a region. Parts may meet (at a
 * barrier) all the same: the caller takes parts back only after its own has ended.
 *
 * <p>Regions may start on any thread. One that starts while another runs, be it nested or of
 * another caller, runs on its own thread alone.
 */
public final class WorkerPool implements AutoCloseable {
  private static final int FREE = 0;
  private static final int RUNNING = 1;
  private static final int CLOSED = 2;

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
  private final Offers offers;
  private final AtomicInteger use = new AtomicInteger(FREE);
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  // The region that runs; published by an offer, and left alone until all its parts have ended.
  private Task task;
  private RangeTask rangeTask;
  private int indices;
  private int parts;
  private Thread caller;

  /** A pool of {@code threads} in all, the caller counted. */
  public WorkerPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, got " + threads);
    }
    this.threads = threads;
    this.offers = new Offers(threads, threads <= Runtime.getRuntime().availableProcessors());
    this.workers = new Thread[threads];
    for (int i = 1; i < threads; i++) {
      int thread = i;
      workers[i] =
          Thread.ofPlatform()
              .daemon()
              .name("sortie-worker-" + thread)
              .unstarted(() -> work(thread));
    }
    for (int i = 1; i < threads; i++) {
      workers[i].start();
    }
  }

  /** One thread for each physical core that the JVM may use, see {@link Cores}. */
  public static WorkerPool ofCores() {
    return new WorkerPool(Cores.physical());
  }

  /** Threads in all. */
  public int threads() {
    return threads;
  }

  /**
   * Runs {@code task} once for every thread and waits for all. Where the region runs on its own
   * thread alone, the parts follow each other, so a part must not wait for another.
   */
  public void run(Task task) {
    if (threads > 1 && enter()) {
      this.task = task;
      region(threads);
      return;
    }
    for (int t = 0; t < threads; t++) {
      task.run(t, threads);
    }
  }

  /**
   * Splits {@code [0, n)} into one contiguous part a thread; calls {@code task} once, with the
   * whole range, when {@code n} is below {@code 2 * grain} or the region runs on its own thread
   * alone. Otherwise parts may wait for each other.
   *
   * <p>If parts fail, the first exception travels to the caller with the others suppressed.
   */
  public void range(int n, int grain, RangeTask task) {
    if (n <= 0) {
      return;
    }
    int count = Math.min(threads, n / Math.max(1, grain));
    if (count > 1 && enter()) {
      this.rangeTask = task;
      this.indices = n;
      region(count);
      return;
    }
    task.run(0, n);
  }

  /** Whether the pool was free and is now the calling thread's. */
  private boolean enter() {
    if (use.get() == FREE && use.compareAndSet(FREE, RUNNING)) {
      return true;
    }
    if (use.get() == CLOSED) {
      throw new IllegalStateException("worker pool is closed");
    }
    return false;
  }

  private void region(int count) {
    parts = count;
    caller = Thread.currentThread();
    for (int t = 1; t < count; t++) {
      offers.make(t, workers[t]);
    }
    part(0);
    for (int t = 1; t < count; t++) {
      if (offers.takeBack(t)) {
        part(t);
      }
    }
    for (int t = 1; t < count; t++) {
      offers.awaitEnd(t);
    }
    task = null;
    rangeTask = null;
    caller = null;
    Throwable first = failure.get();
    if (first != null) {
      failure.set(null);
    }
    use.set(FREE);
    if (first != null) {
      throw WorkerPool.<RuntimeException>as(first);
    }
  }

  private void part(int t) {
    try {
      RangeTask range = rangeTask;
      if (range != null) {
        range.run(cut(t), cut(t + 1));
      } else {
        task.run(t, threads);
      }
    } catch (Throwable e) {
      Throwable first = failure.compareAndExchange(null, e);
      if (first != null && first != e) {
        first.addSuppressed(e);
      }
    }
  }

  private int cut(int t) {
    return (int) ((long) indices * t / parts);
  }

  private void work(int thread) {
    while (offers.accept(thread)) {
      part(thread);
      offers.end(thread, caller);
    }
  }

  /** Throws any exception as it is, also one that a task threw without declaring it. */
  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E as(Throwable e) throws E {
    throw (E) e;
  }

  /**
   * Ends the workers, after the region that runs. Does nothing the second time.
   *
   * @throws IllegalStateException in a region of this pool, which would wait for itself
   */
  @Override
  public void close() {
    Thread current = Thread.currentThread();
    boolean inside = current == caller;
    for (Thread worker : workers) {
      inside |= current == worker;
    }
    if (inside) {
      throw new IllegalStateException("a worker pool cannot be closed by a region that it runs");
    }
    while (!use.compareAndSet(FREE, CLOSED)) {
      if (use.get() == CLOSED) {
        return;
      }
      Thread.yield();
    }
    for (int t = 1; t < threads; t++) {
      offers.close(t, workers[t]);
    }
  }
}

package dev.sortie.tensor.concurrent;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * What the caller of a region and its workers tell each other: one word a worker, two cache lines
 * apart (hardware fetches lines in pairs).
 *
 * <pre>
 *   caller:  IDLE or PARKED → OFFERED → (IDLE: taken back)
 *   worker:                   OFFERED → TAKEN → IDLE → (PARKED)
 *   caller:                             TAKEN → AWAITED, worker: AWAITED → IDLE
 * </pre>
 *
 * Each step is one atomic operation on the word, and whoever leaves PARKED or AWAITED behind
 * unparks the one who set it. So no wake-up is lost, and a thread that spins costs nobody a system
 * call.
 */
final class Offers {
  private static final int IDLE = 0;
  private static final int PARKED = 1;
  private static final int OFFERED = 2;
  private static final int TAKEN = 3;
  private static final int AWAITED = 4;
  private static final int CLOSED = 5;

  private static final int STRIDE = 128 / Integer.BYTES;

  /**
   * How long a thread waits with pauses alone: longer than the gap between two kernels of a layer.
   * After that it yields as well, since the system may have woken it on the core of the one it
   * waits for.
   */
  private static final long SPIN_NANOS = 20_000;

  /**
   * How long a thread waits in all before it parks: about what waking a halted core takes on a
   * virtual Zen 4 (30 to 500 µs). Regions of two parts of 150 µs after a rest of 1 ms took 175 µs;
   * pausing for 200 µs without yields, 296 µs. With another program on one of two cores: 296 and
   * 516 µs. Waiting 500 µs made no difference that could be told from noise.
   */
  private static final long PATIENCE_NANOS = 200_000;

  private final AtomicIntegerArray words;
  private final long patience;

  /**
   * @param spinning whether each thread has a core; if not, one that spins keeps another from work
   */
  Offers(int threads, boolean spinning) {
    this.words = new AtomicIntegerArray((threads + 1) * STRIDE);
    this.patience = spinning ? PATIENCE_NANOS : 0;
  }

  /** Offers a part to an idle worker. */
  void make(int thread, Thread worker) {
    if (words.getAndSet(at(thread), OFFERED) == PARKED) {
      LockSupport.unpark(worker);
    }
  }

  /**
   * Whether the worker has not begun its part and now will not. One that spins needs some 100 ns to
   * see an offer; it has twice that, or the workers of very short regions would fall asleep.
   */
  boolean takeBack(int thread) {
    int at = at(thread);
    return !changes(at, OFFERED, 0) && words.compareAndSet(at, OFFERED, IDLE);
  }

  /** Waits until the worker is idle; parks in the end. */
  void awaitEnd(int thread) {
    int at = at(thread);
    if (changes(at, TAKEN, PATIENCE_NANOS)) {
      return;
    }
    if (words.compareAndSet(at, TAKEN, AWAITED)) {
      while (words.get(at) == AWAITED) {
        LockSupport.park(this);
      }
    }
  }

  /** Waits for a part, parks in the end, and takes it; false if the pool was closed. */
  boolean accept(int thread) {
    int at = at(thread);
    while (true) {
      changes(at, IDLE, patience);
      if (words.compareAndSet(at, IDLE, PARKED)) {
        while (words.get(at) == PARKED) {
          LockSupport.park(this);
        }
      }
      if (words.compareAndSet(at, OFFERED, TAKEN)) {
        return true;
      }
      if (words.get(at) == CLOSED) {
        return false;
      }
    }
  }

  /** Says that the worker's part has ended. */
  void end(int thread, Thread caller) {
    if (words.getAndSet(at(thread), IDLE) == AWAITED) {
      LockSupport.unpark(caller);
    }
  }

  /** Sends an idle worker home. */
  void close(int thread, Thread worker) {
    words.set(at(thread), CLOSED);
    LockSupport.unpark(worker);
  }

  /** Waits until a word is no longer {@code value}; whether that came to pass in time. */
  private boolean changes(int at, int value, long nanos) {
    long start = System.nanoTime();
    long spent = 0;
    do {
      for (int i = 0; i < 8; i++) { // the clock costs as much as a pause
        if (words.get(at) != value) {
          return true;
        }
        Thread.onSpinWait();
      }
      if (spent > SPIN_NANOS) {
        Thread.yield();
      }
      spent = System.nanoTime() - start;
    } while (spent < nanos);
    return false;
  }

  private static int at(int thread) {
    return thread * STRIDE;
  }
}

package dev.sortie.tensor.kernel.simd;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A meeting point of the threads of one region. They arrive within microseconds of each other, so
 * they spin; they yield only when the machine has more to run than cores. A thread that fails
 * breaks the barrier, or the others would wait for ever.
 */
final class GemmBarrier {
  /** Some 50 µs on Zen 4, where a pause takes 25 ns. */
  private static final int SPINS = 2_000;

  private final AtomicInteger arrived = new AtomicInteger();
  private volatile int generation;
  private volatile boolean broken;

  /** Waits for all {@code threads}. */
  void await(int threads) {
    if (threads == 1) {
      return;
    }
    int mine = generation;
    if (arrived.incrementAndGet() == threads) {
      arrived.set(0);
      generation = mine + 1; // releases the others
      return;
    }
    int spins = 0;
    while (generation == mine) {
      if (broken) {
        throw new IllegalStateException("another thread of this matrix product failed");
      }
      if (++spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  /** Lets all waiting threads fail. */
  void breakAll() {
    broken = true;
  }
}

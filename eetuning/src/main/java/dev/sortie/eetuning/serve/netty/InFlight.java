package dev.sortie.eetuning.serve.netty;

import java.time.Duration;

/** Answers that are not sent yet, and whether the server shuts down. Thread-safe. */
final class InFlight {
  private int count;
  private volatile boolean draining;

  synchronized void begin() {
    count++;
  }

  synchronized void end() {
    count--;
    notifyAll();
  }

  /** From now on connections end with the answer they are waiting for. */
  void drain() {
    draining = true;
  }

  boolean isDraining() {
    return draining;
  }

  /** Waits until all are sent; whether they are. */
  synchronized boolean await(Duration most) throws InterruptedException {
    long deadline = System.nanoTime() + most.toNanos();
    while (count > 0) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }
}

package dev.sortie.benchmarks.jmh;

import dev.sortie.benchmarks.limit.Limits;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Counts work in addition to calls; JMH divides the counts by the time. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Work {
  /** GFLOP/s: an addition and a multiplication each count as one operation. */
  public double gigaFlop;

  /** GB/s: bytes that must be read or written at least. */
  public double gigaByte;

  /**
   * Share of the limit: seconds that the work takes at the measured FMA peak or read bandwidth,
   * whichever is longer. Above 1 where the data stays in a cache.
   */
  public double limitShare;

  /** For JMH. */
  public Work() {}

  /** Begins an iteration. */
  @Setup(Level.Iteration)
  public void reset() {
    gigaFlop = 0;
    gigaByte = 0;
    limitShare = 0;
  }

  /** Counts one call that does {@code flops} operations on {@code bytes} bytes. */
  void did(Limits limits, double flops, double bytes) {
    gigaFlop += flops * 1e-9;
    gigaByte += bytes * 1e-9;
    limitShare += Math.max(flops / limits.flops(), bytes / limits.read());
  }
}

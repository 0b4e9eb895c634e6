package dev.sortie.parallel.comm.algorithm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Needs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Measures the links of a group when a job starts: each member passes empty and long messages to
 * its successor while receiving from its predecessor. The times of all are averaged as integers, so
 * that all members have the same model and make the same choices.
 */
final class SpeedTest {
  private static final int SHORT_ROUNDS = 40;
  private static final int LONG_ROUNDS = 5;
  private static final long LONG = 256L << 10;
  private static final double PICO = 1e-12;

  private final MemorySegment out;
  private final MemorySegment in;
  private long latency;
  private long total;

  private SpeedTest(MemorySegment out, MemorySegment in) {
    this.out = out;
    this.in = in;
  }

  static LinkSpeed measure(Collectives group) {
    int p = group.size();
    if (p == 1) {
      return new LinkSpeed(0, 0, 0);
    }
    try (Arena arena = Arena.ofShared()) {
      SpeedTest test = new SpeedTest(arena.allocate(LONG, 64), arena.allocate(LONG, 64));
      group.run(new Collective.Barrier(), by(Operation.BARRIER, Algorithm.RING, test::run));
      MemorySegment times = arena.allocate(JAVA_LONG, 3);
      times.setAtIndex(JAVA_LONG, 0, test.latency);
      times.setAtIndex(JAVA_LONG, 1, Math.max(0, test.total - test.latency) * 1000 / LONG);
      times.setAtIndex(JAVA_LONG, 2, test.adding(group.adder()) * 1000 / LONG);
      group.run(
          new Collective.AllReduce(new Elements(ElementType.I64, times), Order.ASCENDING),
          by(Operation.ALL_REDUCE, Algorithm.GATHER, Dissemination::allReduce));
      return new LinkSpeed(
          times.getAtIndex(JAVA_LONG, 0) * 1000 * PICO / p,
          times.getAtIndex(JAVA_LONG, 1) * PICO / p,
          times.getAtIndex(JAVA_LONG, 2) * PICO / p);
    }
  }

  /** Not chosen by the model that the test makes. */
  private static CollectiveAlgorithm by(
      Operation operation, Algorithm algorithm, CollectiveAlgorithm.Steps steps) {
    return new CollectiveAlgorithm(operation, algorithm, Needs.NOTHING, steps, (n, p, speed) -> 0);
  }

  private void run(Collective call, CollectiveContext context) {
    latency = median(SHORT_ROUNDS, () -> pass(context, 0));
    total = median(LONG_ROUNDS, () -> pass(context, LONG));
  }

  private void pass(CollectiveContext context, long bytes) {
    context.swap(context.ring(1), out.asSlice(0, bytes), context.ring(-1), in.asSlice(0, bytes));
  }

  private long adding(Adder adder) {
    return median(
        LONG_ROUNDS, () -> adder.sum(ElementType.F32, new MemorySegment[] {out, in}, out));
  }

  /**
   * Nanoseconds of the middle one of some runs; the first ones are slow before they are compiled.
   */
  private static long median(int rounds, Runnable task) {
    long[] times = new long[rounds];
    for (int i = 0; i < rounds; i++) {
      long from = System.nanoTime();
      task.run();
      times[i] = System.nanoTime() - from;
    }
    Arrays.sort(times);
    return times[rounds / 2];
  }
}

package dev.sortie.benchmarks.limit;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.memory.NativeArena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What this machine can do at best, measured now, with the vectors that the Vector API has.
 *
 * @param threads threads of the second figure of each kind
 * @param flops1 F32 operations a second, one thread; a multiply-add counts as two
 * @param flops the same, {@code threads} threads
 * @param read1 bytes a second read from memory in huge pages, one thread
 * @param read the same, {@code threads} threads
 */
public record Limits(int threads, double flops1, double flops, double read1, double read) {
  private static final long READ_BYTES = 256L << 20; // far beyond the last-level cache
  private static final long BLOCK = 64 << 10;
  private static final int BURSTS = 100; // some 8 ms
  private static final long LEAST_NANOS = 800_000_000;
  private static final long QUIET_NANOS = 500_000_000;

  /** Measures; takes a second or two. */
  public static Limits measure(int threads) {
    try (WorkerPool one = new WorkerPool(1);
        WorkerPool all = new WorkerPool(threads);
        NativeArena arena = new NativeArena("probe")) {
      MemorySegment memory =
          arena.allocate(DType.F32, READ_BYTES / DType.F32.bytes()).span().segment();
      memory.fill((byte) 0); // pages exist from the first touch on
      return new Limits(
          threads, flops(one), flops(all), bandwidth(one, memory), bandwidth(all, memory));
    }
  }

  /** Operations a second with this many threads, 1 or {@link #threads}. */
  public double flops(int n) {
    return n == 1 ? flops1 : flops;
  }

  /** Bytes read a second with this many threads, 1 or {@link #threads}. */
  public double read(int n) {
    return n == 1 ? read1 : read;
  }

  /**
   * The roofline: operations a second at best for work that does {@code flops} operations on {@code
   * bytes} that come from memory.
   */
  public double roofline(int n, double flops, double bytes) {
    return Math.min(flops(n), read(n) * flops / bytes);
  }

  /** The figures by name, in GFLOP/s and GB/s. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("threads", threads);
    m.put("fma_gflops_1_thread", giga(flops1));
    m.put("fma_gflops", giga(flops));
    m.put("read_gb_per_second_1_thread", giga(read1));
    m.put("read_gb_per_second", giga(read));
    return m;
  }

  private static double giga(double value) {
    return Math.round(value * 1e-8) / 10.0;
  }

  private static double flops(WorkerPool pool) {
    float[] sink = new float[pool.threads() * 64]; // results on cache lines of their own
    double seconds =
        best(
            () ->
                pool.run(
                    (t, all) -> {
                      float sum = 0;
                      for (int i = 0; i < BURSTS; i++) {
                        sum += FmaPeak.burst(i);
                      }
                      sink[t * 64] = sum;
                    }));
    return pool.threads() * BURSTS * FmaPeak.FLOPS / seconds;
  }

  private static double bandwidth(WorkerPool pool, MemorySegment memory) {
    long part = memory.byteSize() / pool.threads() / BLOCK * BLOCK;
    return Math.max(bandwidth(pool, memory, part, BLOCK), bandwidth(pool, memory, part, part));
  }

  private static double bandwidth(WorkerPool pool, MemorySegment memory, long part, long block) {
    float[] sink = new float[pool.threads() * 64];
    double seconds =
        best(
            () ->
                pool.run(
                    (t, all) ->
                        sink[t * 64] = ReadBandwidth.sum(memory.asSlice(t * part, part), block)));
    return pool.threads() * part / seconds;
  }

  /**
   * The shortest run, once there was no shorter one for a while: a limit is what nothing disturbed,
   * and the first runs are interpreted.
   */
  private static double best(Runnable work) {
    double best = Double.POSITIVE_INFINITY;
    long begin = System.nanoTime();
    long end = begin;
    long improved = begin;
    while (end - begin < LEAST_NANOS || end - improved < QUIET_NANOS) {
      long start = end;
      work.run();
      end = System.nanoTime();
      double seconds = (end - start) * 1e-9;
      improved = seconds < 0.95 * best ? end : improved;
      best = Math.min(best, seconds);
    }
    return best;
  }
}

package dev.sortie.benchmarks.limit;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What this machine can do at best, measured now, with the vectors that the Vector API has.
 *
 * @param threads threads of the second figure of each kind
 * @param flops1 F32 operations per second, one thread; a multiply-add counts as two
 * @param flops the same, {@code threads} threads
 * @param read1 bytes per second read from memory in huge pages, one thread
 * @param read the same, {@code threads} threads
 */
public record Limits(int threads, double flops1, double flops, double read1, double read) {
  private static final long READ_BYTES = 256L << 20; // far beyond the last-level cache
  private static final long BLOCK = 64 << 10;
  private static final int BURSTS = 20; // some 2 ms
  private static final int LINE = 64;

  /** Measures; takes some seconds. */
  public static Limits measure(int threads) {
    try (NativeArena arena = new NativeArena("probe")) {
      MemorySegment memory =
          arena.allocate(DType.F32, READ_BYTES / DType.F32.bytes()).span().segment();
      memory.fill((byte) 0); // pages exist from the first touch on
      double flops1 = measureFlops(1);
      double read1 = measureRead(1, memory);
      return threads == 1
          ? new Limits(1, flops1, flops1, read1, read1)
          : new Limits(threads, flops1, measureFlops(threads), read1, measureRead(threads, memory));
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
   * The roofline: operations per second at best for work that does {@code flops} operations on
   * {@code bytes} that come from memory.
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

  private static double measureFlops(int threads) {
    float[] sink = new float[threads * LINE]; // results on cache lines of their own
    double bursts =
        Throughput.best(
            threads,
            t ->
                () -> {
                  float sum = 0;
                  for (int i = 0; i < BURSTS; i++) {
                    sum += MultiplyAddPeak.burst(i);
                  }
                  sink[t * LINE] = sum;
                });
    return bursts * BURSTS * MultiplyAddPeak.FLOPS;
  }

  private static double measureRead(int threads, MemorySegment memory) {
    long part = memory.byteSize() / threads / BLOCK * BLOCK;
    return Math.max(
        measureRead(threads, memory, part, BLOCK), measureRead(threads, memory, part, part));
  }

  private static double measureRead(int threads, MemorySegment memory, long part, long block) {
    float[] sink = new float[threads * LINE];
    double passes =
        Throughput.best(
            threads,
            t -> {
              MemorySegment mine = memory.asSlice(t * part, part);
              return () -> sink[t * LINE] = ReadBandwidth.sum(mine, block);
            });
    return passes * part;
  }
}

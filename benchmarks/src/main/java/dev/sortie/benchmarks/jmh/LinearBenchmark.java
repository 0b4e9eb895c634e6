package dev.sortie.benchmarks.jmh;

import dev.sortie.benchmarks.compare.Fill;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.KernelSets;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * {@link Kernels#linear} at the shapes of decoding: one or a few rows against a whole weight
 * matrix, bound by memory. Weights rotate through copies that together exceed the caches, as the
 * layers of a model do; time per call, so that bytes of weights / time is the bandwidth reached.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LinearBenchmark {
  private static final long WEIGHT_BYTES = 256L << 20;

  /** Rows: 1 is plain decoding, 8 a batch or a draft to verify. */
  @Param({"1", "8"})
  public int m;

  /** Outputs × inputs: the projections of a 135 M model and of a 1 B model. */
  @Param({"576x576", "1536x576", "8192x2048"})
  public String nk;

  /** Type of the weights. */
  @Param({"F32", "BF16"})
  public DType weights;

  private WorkerPool pool;
  private NativeArena arena;
  private Kernels kernels;
  private Span x;
  private Span y;
  private Span[] w;
  private int n;
  private int k;
  private int next;

  /** Fills inputs and weights. */
  @Setup
  public void open() {
    String[] sizes = nk.split("x");
    n = Integer.parseInt(sizes[0]);
    k = Integer.parseInt(sizes[1]);
    pool = WorkerPool.ofCores();
    kernels = KernelSets.choose(pool);
    arena = new NativeArena("benchmark");
    x = Fill.random(arena, DType.F32, (long) m * k, 1);
    y = Fill.random(arena, DType.F32, (long) m * n, 2);
    long size = (long) n * k;
    w = new Span[(int) Math.max(1, WEIGHT_BYTES / (size * weights.bytes()))];
    w[0] = Fill.random(arena, weights, size, 3);
    for (int i = 1; i < w.length; i++) {
      w[i] = arena.allocate(weights, size).span();
      kernels.copy(w[0], w[i]);
    }
  }

  /** Frees them. */
  @TearDown
  public void close() {
    arena.close();
    pool.close();
  }

  /** {@code y[m,n] = x[m,k] · w[n,k]ᵀ}. */
  @Benchmark
  public Span linear() {
    kernels.linear(x, w[next], null, y, m, n, k);
    next = (next + 1) % w.length;
    return y;
  }
}

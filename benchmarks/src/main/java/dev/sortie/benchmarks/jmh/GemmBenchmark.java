package dev.sortie.benchmarks.jmh;

import dev.sortie.benchmarks.compare.Fill;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.KernelSets;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
 * {@link Kernels#gemm} in F32 as training calls it: forward ({@code x wᵀ}), the gradient of the
 * inputs ({@code dy w}) and of the weights ({@code dyᵀ x}). The result {@code flop} counts
 * floating-point operations a second, an addition and a multiplication each as one.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class GemmBenchmark {
  /** Which of the three products. */
  public enum Product {
    /** {@code c[m,n] = a[m,k] · b[n,k]ᵀ}. */
    FORWARD,
    /** {@code c[m,n] = a[m,k] · b[k,n]}. */
    INPUT_GRADIENT,
    /** {@code c[m,n] = a[k,m]ᵀ · b[k,n]}. */
    WEIGHT_GRADIENT
  }

  /** Counts operations beside calls. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Work {
    /** Floating-point operations. */
    public long flop;

    /** Begins an iteration. */
    @Setup(Level.Iteration)
    public void reset() {
      flop = 0;
    }
  }

  /** m × n × k. */
  @Param({"256x576x576", "1024x1024x1024"})
  public String mnk;

  /** The product. */
  @Param public Product product;

  private WorkerPool pool;
  private NativeArena arena;
  private Kernels kernels;
  private Span a;
  private Span b;
  private Span c;
  private int m;
  private int n;
  private int k;

  /** Fills the matrices. */
  @Setup
  public void open() {
    String[] sizes = mnk.split("x");
    m = Integer.parseInt(sizes[0]);
    n = Integer.parseInt(sizes[1]);
    k = Integer.parseInt(sizes[2]);
    pool = WorkerPool.ofCores();
    kernels = KernelSets.choose(pool);
    arena = new NativeArena("benchmark");
    a = Fill.random(arena, DType.F32, (long) m * k, 1);
    b = Fill.random(arena, DType.F32, (long) k * n, 2);
    c = Fill.random(arena, DType.F32, (long) m * n, 3);
  }

  /** Frees them. */
  @TearDown
  public void close() {
    arena.close();
    pool.close();
  }

  /** One product. */
  @Benchmark
  public Span gemm(Work work) {
    kernels.gemm(
        product == Product.WEIGHT_GRADIENT, product == Product.FORWARD, m, n, k, a, b, c, false);
    work.flop += 2L * m * n * k;
    return c;
  }
}

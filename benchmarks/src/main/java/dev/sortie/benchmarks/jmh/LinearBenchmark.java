package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * {@link Kernels#linear} at the shapes of decoding: one or a few rows against a whole weight
 * matrix, bound by memory. Weights rotate through copies that together exceed the caches, as the
 * layers of a model do.
 */
public class LinearBenchmark extends KernelBenchmark {
  private static final long WEIGHT_BYTES = 256L << 20;

  /** Rows: 1 is plain decoding, more a batch or a draft to verify. */
  @Param({"1", "2", "4", "8", "16"})
  public int m;

  /** Outputs × inputs: the MLP's first projections of SmolLM2-135M, Llama-3.2-1B, Llama-3-8B. */
  @Param({"1536x576", "8192x2048", "14336x4096"})
  public String nk;

  /** Type of the weights. */
  @Param({"F32", "BF16", "F16", "Q8_0", "Q4_0", "Q4_1"})
  public DType weights;

  private Span x;
  private Span y;
  private Span[] w;
  private int n;
  private int k;
  private int next;

  /** For JMH. */
  public LinearBenchmark() {}

  @Override
  void fill() {
    int[] sizes = sizes(nk);
    n = sizes[0];
    k = sizes[1];
    x = random((long) m * k);
    y = random((long) m * n);
    long size = (long) n * k;
    w = new Span[(int) Math.max(1, WEIGHT_BYTES / weights.bytes(size))];
    for (int i = 0; i < w.length; i++) {
      w[i] = random(weights, size);
    }
  }

  /** {@code y[m,n] = x[m,k] · w[n,k]ᵀ}. */
  @Benchmark
  public Span linear(Work work) {
    kernels().linear(x, w[next], null, y, m, n, k);
    next = (next + 1) % w.length;
    work.did(limits(), 2.0 * m * n * k, weights.bytes((long) n * k));
    return y;
  }
}

package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * {@link Kernels#gemm} in F32 as training calls it: forward ({@code x wᵀ}), the gradient of the
 * inputs ({@code dy w}) and of the weights ({@code dyᵀ x}).
 */
public class GemmBenchmark extends KernelBenchmark {
  /** Which of the three products. */
  public enum Product {
    /** {@code c[m,n] = a[m,k] · b[n,k]ᵀ}. */
    FORWARD,
    /** {@code c[m,n] = a[m,k] · b[k,n]}. */
    INPUT_GRADIENT,
    /** {@code c[m,n] = a[k,m]ᵀ · b[k,n]}. */
    WEIGHT_GRADIENT
  }

  /** m × n × k: SmolLM2-135M, Llama-3.2-1B, Llama-3-8B. */
  @Param({"512x1536x576", "512x8192x2048", "128x4096x4096"})
  public String mnk;

  /** The product. */
  @Param public Product product;

  private Span a;
  private Span b;
  private Span c;
  private int m;
  private int n;
  private int k;

  /** For JMH. */
  public GemmBenchmark() {}

  @Override
  void fill() {
    int[] sizes = sizes(mnk);
    m = sizes[0];
    n = sizes[1];
    k = sizes[2];
    a = random((long) m * k);
    b = random((long) k * n);
    c = random((long) m * n);
  }

  /** One product. */
  @Benchmark
  public Span gemm(Work work) {
    kernels()
        .gemm(
            product == Product.WEIGHT_GRADIENT,
            product == Product.FORWARD,
            m,
            n,
            k,
            a,
            b,
            c,
            false);
    work.did(limits(), 2.0 * m * n * k, 4.0 * ((double) m * k + (double) k * n + (double) m * n));
    return c;
  }
}

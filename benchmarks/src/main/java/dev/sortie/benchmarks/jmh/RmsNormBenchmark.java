package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** RMSNorm of rows: reads and writes each element once. */
public class RmsNormBenchmark extends KernelBenchmark {
  /** Rows × columns: a prompt of SmolLM2-135M, of Llama-3.2-1B, of Llama-3-8B. */
  @Param({"512x576", "512x2048", "512x4096"})
  public String shape;

  private Span x;
  private Span w;
  private Span y;
  private Span rstd;
  private int rows;
  private int cols;

  /** For JMH. */
  public RmsNormBenchmark() {}

  @Override
  void fill() {
    int[] sizes = sizes(shape);
    rows = sizes[0];
    cols = sizes[1];
    x = random((long) rows * cols);
    w = random(cols);
    y = random(x.length());
    rstd = random(rows);
  }

  /** {@code y = x * rstd * w}. */
  @Benchmark
  public Span rmsNorm(Work work) {
    kernels().rmsNorm(x, w, 1e-5, y, rstd, rows, cols);
    work.did(limits(), 4.0 * x.length(), 8.0 * x.length());
    return y;
  }
}

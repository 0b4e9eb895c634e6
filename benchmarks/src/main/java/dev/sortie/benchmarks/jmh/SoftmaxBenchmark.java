package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Softmax of rows. */
public class SoftmaxBenchmark extends KernelBenchmark {
  /** Rows × columns: scores of a prompt, logits of SmolLM2-135M. */
  @Param({"4608x512", "64x49152"})
  public String shape;

  private Span x;
  private Span y;
  private int rows;
  private int cols;

  /** For JMH. */
  public SoftmaxBenchmark() {}

  @Override
  void fill() {
    int[] sizes = sizes(shape);
    rows = sizes[0];
    cols = sizes[1];
    x = random((long) rows * cols);
    y = random(x.length());
  }

  /** Largest, exponentials, sum, scale: an operation each. */
  @Benchmark
  public Span softmax(Work work) {
    kernels().softmax(x, y, rows, cols);
    work.did(limits(), 4.0 * x.length(), 8.0 * x.length());
    return y;
  }
}

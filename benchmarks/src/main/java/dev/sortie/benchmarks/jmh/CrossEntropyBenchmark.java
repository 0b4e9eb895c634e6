package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Cross-entropy over the vocabulary: reads each logit. */
public class CrossEntropyBenchmark extends KernelBenchmark {
  /** Tokens × vocabulary: SmolLM2-135M, Llama 3. */
  @Param({"512x49152", "128x128256"})
  public String shape;

  private Span logits;
  private Span targets;
  private Span loss;
  private Span lse;
  private int rows;
  private int cols;

  /** For JMH. */
  public CrossEntropyBenchmark() {}

  @Override
  void fill() {
    int[] sizes = sizes(shape);
    rows = sizes[0];
    cols = sizes[1];
    logits = random((long) rows * cols);
    targets = ids(rows, cols);
    loss = random(rows);
    lse = random(rows);
  }

  /** Loss and log-sum-exp of each row. */
  @Benchmark
  public Span crossEntropy(Work work) {
    kernels().crossEntropy(logits, targets, loss, lse, rows, cols);
    work.did(limits(), 3.0 * logits.length(), 4.0 * logits.length());
    return loss;
  }
}

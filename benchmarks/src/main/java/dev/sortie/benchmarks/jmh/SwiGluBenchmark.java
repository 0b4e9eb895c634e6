package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** SwiGLU's activation: reads two elements and writes one. */
public class SwiGluBenchmark extends KernelBenchmark {
  /** Rows × columns: a prompt of SmolLM2-135M, of Llama-3.2-1B, of Llama-3-8B. */
  @Param({"512x1536", "512x8192", "512x14336"})
  public String shape;

  private Span gate;
  private Span up;
  private Span y;

  /** For JMH. */
  public SwiGluBenchmark() {}

  @Override
  void fill() {
    int[] sizes = sizes(shape);
    gate = random((long) sizes[0] * sizes[1]);
    up = random(gate.length());
    y = random(gate.length());
  }

  /** {@code y = silu(gate) * up}; the exponential is counted as one operation. */
  @Benchmark
  public Span swiglu(Work work) {
    kernels().swiglu(gate, up, y);
    work.did(limits(), 5.0 * y.length(), 12.0 * y.length());
    return y;
  }
}

package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Rotary embedding of queries: reads and writes each element once. */
public class RopeBenchmark extends KernelBenchmark {
  /** Tokens × heads × head size: a prompt of SmolLM2-135M, of Llama-3.2-1B, of Llama-3-8B. */
  @Param({"512x9x64", "512x32x64", "512x32x128"})
  public String shape;

  private RopeShape sizes;
  private Span x;
  private Span y;
  private Span cos;
  private Span sin;

  /** For JMH. */
  public RopeBenchmark() {}

  @Override
  void fill() {
    int[] s = sizes(shape);
    sizes = new RopeShape(1, s[0], s[1], s[2], s[2], 0, false);
    x = random((long) s[0] * s[1] * s[2]);
    y = random(x.length());
    cos = random((long) s[0] * s[2] / 2);
    sin = random(cos.length());
  }

  /** Each pair is turned by four multiplications and two additions. */
  @Benchmark
  public Span rope(Work work) {
    kernels().rope(x, cos, sin, y, sizes, false);
    work.did(limits(), 3.0 * x.length(), 8.0 * x.length());
    return y;
  }
}

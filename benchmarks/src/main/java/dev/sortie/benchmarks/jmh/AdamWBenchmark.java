package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.kernel.AdamWCall;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** One step of AdamW: reads four arrays and writes three. */
public class AdamWBenchmark extends KernelBenchmark {
  /** Parameters: a matrix of SmolLM2-135M, its embedding. */
  @Param({"884736", "28311552"})
  public int parameters;

  private Span p;
  private Span g;
  private Span m;
  private Span v;
  private AdamWCall options;

  /** For JMH. */
  public AdamWBenchmark() {}

  @Override
  void fill() {
    p = random(parameters);
    g = random(parameters);
    m = random(parameters);
    v = random(parameters);
    kernels().mul(v, v, v); // a second moment is not negative
    options = new AdamWCall(1e-4, 0.9, 0.95, 1e-8, 0.1, 0.1, 0.05, 1);
  }

  /** In place. */
  @Benchmark
  public Span adamW(Work work) {
    kernels().adamW(List.of(new AdamWCall.Update(p, g, m, v, options)));
    work.did(limits(), 14.0 * parameters, 28.0 * parameters);
    return p;
  }
}

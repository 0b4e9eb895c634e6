package dev.sortie.benchmarks.jmh;

import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Causal attention with grouped heads: a prompt, and one token over a cache. */
public class AttentionBenchmark extends KernelBenchmark {
  /** Query heads × key heads × head size: SmolLM2-135M, Llama-3.2-1B, Llama-3-8B. */
  @Param({"9x3x64", "32x8x64", "32x8x128"})
  public String heads;

  /** Queries × keys: prefill of 512, decoding at position 1024. */
  @Param({"512x512", "1x1024"})
  public String queriesKeys;

  private AttentionShape shape;
  private Span q;
  private Span k;
  private Span v;
  private Span out;
  private Span lse;

  /** For JMH. */
  public AttentionBenchmark() {}

  @Override
  void fill() {
    int[] h = sizes(heads);
    int[] t = sizes(queriesKeys);
    shape = new AttentionShape(1, t[0], t[1], h[0], h[1], h[2], 1 / Math.sqrt(h[2]));
    q = random((long) t[0] * h[0] * h[2]);
    k = random((long) t[1] * h[1] * h[2]);
    v = random((long) t[1] * h[1] * h[2]);
    out = random(q.length());
    lse = random((long) t[0] * h[0]);
  }

  /** Scores, softmax and values. Counted are the two products over the visible keys. */
  @Benchmark
  public Span attention(Work work) {
    kernels().attention(q, k, v, out, lse, shape);
    double pairs = 0.5 * shape.queries() * (shape.visible(0) + shape.keys());
    work.did(
        limits(),
        4 * pairs * shape.heads() * shape.headSize(),
        4.0 * (q.length() + k.length() + v.length() + out.length()));
    return out;
  }
}

package dev.sortie.benchmarks.compare;

import java.util.List;

/**
 * A product {@code y[m,n] = x[m,k] · w} of a language model.
 *
 * @param m rows: tokens
 * @param n outputs
 * @param k inputs
 */
public record GemmShape(int m, int n, int k) {

  /**
   * Projections of SmolLM2-135M (C 576, F 1536, V 49152), Llama-3.2-1B (C 2048, F 8192) and
   * Llama-3-8B (C 4096), from one decoded token to a training batch.
   */
  public static final List<GemmShape> OF_MODELS =
      List.of(
          new GemmShape(1, 8192, 2048), // 1B, up: decoding
          new GemmShape(4, 1536, 576), // 135M, up: a draft to verify
          new GemmShape(16, 2048, 8192), // 1B, down: a batch of 16
          new GemmShape(64, 4096, 4096), // 8B, query: a batch of 64
          new GemmShape(128, 1536, 576), // 135M, up: a short prompt
          new GemmShape(512, 576, 1536), // 135M, down: a prompt
          new GemmShape(512, 49152, 576), // 135M, head: training
          new GemmShape(2048, 2048, 2048)); // 1B, query: training

  /** Floating-point operations. */
  public double flops() {
    return 2.0 * m * n * k;
  }

  /** Bytes of the three matrices in F32. */
  public double bytes() {
    return 4.0 * ((double) m * k + (double) n * k + (double) m * n);
  }

  @Override
  public String toString() {
    return m + "x" + n + "x" + k;
  }
}

package dev.sortie.parallel.shard;

import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;

/**
 * What a step of training needs beside backward passes where the decoder is one rank's share: the
 * parts of gradients that ranks find alone are added up, and the norm counts every number once.
 * Micro-batches come first, then {@link #finish}, then the optimiser with that norm.
 */
public final class ShareGradients implements AutoCloseable {
  private final PartialGradients partial;
  private final GradientNorm norm;

  /**
   * Of a decoder. A collective call.
   *
   * @param builder that built it
   */
  public ShareGradients(ShareBuilder builder, Decoder decoder) {
    DecoderShare share = builder.share(decoder.config());
    this.partial = new PartialGradients(builder.group(), share, builder.sequence(), decoder);
    this.norm = new GradientNorm(builder.group(), share, decoder);
  }

  /**
   * Makes the gradients of all micro-batches those of one rank. A collective call.
   *
   * @param scratch for what is exchanged
   * @return the global norm, the same on all ranks
   */
  public double finish(Kernels k, Allocator scratch, Gradients gradients) {
    partial.sum(k, scratch, gradients);
    return norm.of(k, scratch, gradients);
  }

  @Override
  public void close() {
    partial.close();
  }
}

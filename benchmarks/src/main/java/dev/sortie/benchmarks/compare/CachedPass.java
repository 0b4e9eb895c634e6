package dev.sortie.benchmarks.compare;

import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Passes of a decoder over the next tokens of one sequence with their logits, what checking a draft
 * takes. Decoding strategies want the last token's logits only and move on; this stays in place.
 */
final class CachedPass implements AutoCloseable {
  private final Decoder decoder;
  private final NativeArena arena = new NativeArena("pass");
  private final Workspace workspace = new Workspace();
  private final Ops ops;
  private final List<KvCache> caches;

  /** A sequence with room for {@code capacity} tokens. */
  CachedPass(Decoder decoder, Device device, int capacity) {
    this.decoder = decoder;
    this.ops = new Ops(device, workspace);
    this.caches = decoder.cache(arena, DType.F32, capacity);
  }

  /**
   * Reads tokens at positions {@code first ..} and computes the logits of all.
   *
   * @return those of the first, {@code [V]}
   */
  float[] run(int[] ids, int first) {
    float[] logits = NoGrad.call(() -> logits(ids, first));
    workspace.reset();
    return logits;
  }

  private float[] logits(int[] ids, int first) {
    Tensor x = decoder.embed(ops, Tensor.ids(workspace, Shape.of(1, ids.length), ids), first);
    for (int i = 0; i < caches.size(); i++) {
      DecoderLayer layer = decoder.layers().get(i);
      x = layer.feedForward(ops, layer.attend(ops, x, decoder.rope(), caches.get(i), first));
    }
    Tensor logits = decoder.logits(ops, x);
    return logits
        .span()
        .slice(0, decoder.config().vocab())
        .segment()
        .toArray(ValueLayout.JAVA_FLOAT);
  }

  @Override
  public void close() {
    workspace.close();
    arena.close();
  }
}

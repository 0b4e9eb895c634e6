package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.explain.KernelUse.CacheUse;
import java.util.List;
import java.util.Optional;

/**
 * The kernels that one part of a model ran one after the other.
 *
 * @param part whose they are
 * @param kernels in the order in which they ran
 */
record PartRun(ModelPart part, List<KernelUse> kernels) {

  /** What its attention read, if it has any. */
  Optional<CacheUse> cache() {
    return kernels.stream().flatMap(k -> k.cache().stream()).findFirst();
  }

  /** Whether it is a layer that the token at {@code position} passed here. */
  boolean isLayerOf(int position) {
    return part.isLayer() && cache().filter(c -> c.reads(position)).isPresent();
  }
}

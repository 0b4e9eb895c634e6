package dev.sortie.nn.load;

import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;

/** Pages of mapped files. */
final class MappedPages {
  private MappedPages() {}

  /**
   * Lets go of what was read through once, which would otherwise count as memory of this process
   * until others need it. Where it is read again, the system maps it again.
   */
  static void letGo(Span span) {
    MemorySegment segment = span.segment();
    if (segment.isMapped()) {
      segment.unload();
    }
  }
}

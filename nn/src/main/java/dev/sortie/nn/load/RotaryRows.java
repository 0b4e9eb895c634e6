package dev.sortie.nn.load;

import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;

/**
 * The order of the rows of a query or key projection. Within a head of D rows, Hugging Face's
 * checkpoints hold the first elements of all rotary pairs, then the second ones; GGUF files of the
 * Llama family hold pair after pair. Rows move whole, so quantised ones stay as they are.
 */
final class RotaryRows {
  private RotaryRows() {}

  /**
   * A copy in the other order, in memory of {@code arena}.
   *
   * @param rows {@code [heads D, ..]}
   * @param interleave whether to make pairs neighbours, else to part them
   */
  static Span reordered(NativeArena arena, Span rows, int heads, int headSize, boolean interleave) {
    Span out = arena.allocate(rows.dtype(), rows.length()).span();
    MemorySegment from = rows.segment();
    MemorySegment to = out.segment();
    long bytes = rows.bytes() / ((long) heads * headSize);
    int half = headSize / 2;
    for (long head = 0; head < heads; head++) {
      for (int pair = 0; pair < half; pair++) {
        for (int part = 0; part < 2; part++) {
          long neighbours = head * headSize + 2L * pair + part;
          long apart = head * headSize + (long) part * half + pair;
          long source = interleave ? apart : neighbours;
          long target = interleave ? neighbours : apart;
          MemorySegment.copy(from, source * bytes, to, target * bytes, bytes);
        }
      }
    }
    return out;
  }
}

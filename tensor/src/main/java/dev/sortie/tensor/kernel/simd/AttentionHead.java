package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;

/**
 * Where one kv head's keys or values lie: where the caller stored them, or widened to F32 and
 * padded to whole vectors in scratch memory.
 *
 * @param address first row
 * @param stride bytes from one row to the next
 */
record AttentionHead(long address, long stride) {

  /** Elements of a padded row. */
  static int size(AttentionShape s) {
    return (s.headSize() + Width.LANES - 1) / Width.LANES * Width.LANES;
  }

  /** Whether rows must be copied before vectors can be read from them. */
  static boolean mustPack(Span x, AttentionShape s) {
    return x.dtype() != DType.F32 || s.headSize() % Width.LANES != 0;
  }

  /**
   * The first {@code keys} rows of kv head {@code kv} of sequence {@code b}; {@code scratch} takes
   * them if they must be packed.
   */
  static AttentionHead of(Span x, AttentionShape s, int b, int kv, int keys, long scratch) {
    AttentionHead stored = stored(x, s, b, kv);
    if (!mustPack(x, s)) {
      return stored;
    }
    int size = size(s);
    int d = s.headSize();
    for (long j = 0; j < keys; j++) {
      long row = scratch + 4 * j * size;
      Conversions.widen(x.dtype(), stored.address + j * stored.stride, row, d);
      Elementwise.fill(row + 4L * d, size - d, 0f);
    }
    return new AttentionHead(scratch, 4L * size);
  }

  private static AttentionHead stored(Span x, AttentionShape s, int b, int kv) {
    int bytes = x.dtype().bytes();
    long first = (long) b * s.keys() * s.kvHeads() + kv;
    return new AttentionHead(
        x.address() + first * s.headSize() * bytes, (long) s.kvHeads() * s.headSize() * bytes);
  }

  /**
   * Stores the transpose {@code [headSize, pitch]} of the first {@code keys} rows; the columns up
   * to {@code pitch} become 0.
   */
  void transpose(int headSize, int keys, int pitch, long to) {
    for (int tile = 0; tile < pitch; tile += 16) {
      int width = Math.min(16, pitch - tile);
      int full = Math.clamp(keys - tile, 0, width);
      for (int d = 0; d < headSize; d++) {
        long column = to + 4 * ((long) d * pitch + tile);
        long from = address + tile * stride + 4L * d;
        for (int j = 0; j < full; j++) {
          Lanes.set(column + 4L * j, Lanes.get(from + j * stride));
        }
        for (int j = full; j < width; j++) {
          Lanes.set(column + 4L * j, 0f);
        }
      }
    }
  }
}

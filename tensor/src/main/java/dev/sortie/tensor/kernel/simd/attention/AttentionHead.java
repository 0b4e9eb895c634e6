package dev.sortie.tensor.kernel.simd.attention;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Width;
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
   * Rows {@code [from, from + keys)} of kv head {@code kv} of sequence {@code b}; {@code scratch}
   * takes them if they must be packed.
   */
  static AttentionHead of(
      Span x, AttentionShape s, int b, int kv, int from, int keys, long scratch) {
    AttentionHead all = stored(x, s, b, kv);
    AttentionHead stored = new AttentionHead(all.address + from * all.stride, all.stride);
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

  /** Elements of a row padded to two vectors, as {@link QueryLanes} has them. */
  static int paddedSize(AttentionShape s) {
    return (s.headSize() + QueryLanes.ROWS - 1) / QueryLanes.ROWS * QueryLanes.ROWS;
  }

  /** {@code keys} rounded up to what {@link QueryLanes} computes at a time. */
  static int rounded(int keys) {
    return (keys + 3) / 4 * 4;
  }

  /**
   * Copies rows {@code [from, from + count)} of a kv head to {@code [rounded(count), size]} at
   * {@code to}, widened; padding is 0.
   */
  static void pack(
      Span x, AttentionShape s, int b, int kv, int from, int count, int size, long to) {
    AttentionHead stored = stored(x, s, b, kv);
    int d = s.headSize();
    for (long j = 0; j < count; j++) {
      long source = stored.address + (from + j) * stored.stride;
      long row = to + 4 * j * size;
      if (x.dtype() == DType.F32) {
        Conversions.copyBytes(source, row, 4L * d);
      } else {
        Conversions.widen(x.dtype(), source, row, d);
      }
      Elementwise.fill(row + 4L * d, size - d, 0f);
    }
    Elementwise.fill(to + 4L * count * size, (long) (rounded(count) - count) * size, 0f);
  }
}

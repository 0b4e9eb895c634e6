package dev.sortie.tensor.kernel.simd.gemm;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.tile.TileDecoding;
import dev.sortie.tensor.kernel.simd.vector.ReadAhead;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TileType;

/**
 * Packs the right operand of a matrix product, of any type: rows that are not F32 are decoded a few
 * at a time to a scratch, from which they are packed while they are in the L1 cache. BF16 rows go
 * to a panel directly, see {@link PackFloats#transposeBf16}: SmolLM2-135M reads 17 tokens in 59 ms,
 * not in 66 (Zen 4, two threads).
 *
 * @param trans whether b is stored as {@code [n, k]}, not {@code [k, n]}
 * @param b address
 * @param right how b lies there
 * @param scratch address of {@link #SCRATCH_BYTES}
 */
record PackRight(boolean trans, int n, int k, long b, RightOperand right, long scratch) {
  private static final int NR = Gemm.NR;

  /** Weight rows of a tile. */
  private static final int TILE = 2 * Width.LANES;

  /** Values of k that are decoded at a time. */
  private static final int RUN = 128;

  static final long SCRATCH_BYTES = 4L * NR * RUN;

  /**
   * Packs columns {@code [from, to)} of op(b), whose first is the first of a panel, at {@code [pc,
   * pc + kc)} of K, panel after panel, at address {@code dst}.
   */
  void run(int pc, int kc, int from, int to, long dst) {
    switch (right) {
      case RightOperand.Rows(DType type) when trans -> columns(type, pc, kc, from, to, dst);
      case RightOperand.Rows(DType type) -> rows(type, pc, kc, from, to - from, dst);
      case RightOperand.Tiles(TileType type) -> tiles(type, pc, kc, from, to, dst);
      case RightOperand.Panels _ -> throw new IllegalStateException("panels are not packed again");
    }
  }

  private void tiles(TileType type, int pc, int kc, int from, int to, long dst) {
    for (int j = from; j < to; j += NR) {
      long panel = dst + 4L * (j - from) * kc;
      int count = Math.min(NR, Gemm.panels(to - j, TILE) * TILE);
      for (int t = 0; t < count; t += TILE) {
        long tile = b + (j + t) / TILE * type.tileBytes(TILE, k);
        TileDecoding.run(type, tile, k, pc, kc, panel + 4L * t, 4L * NR);
      }
      PackFloats.clear(panel, kc, count);
    }
  }

  private void columns(DType type, int pc, int kc, int from, int to, long dst) {
    long bytes = type.bytes((long) (to - from) * k);
    if (type != DType.F32 && pc == 0 && bytes <= ReadAhead.MOST) {
      ReadAhead.run(b + type.bytes((long) from * k), bytes, scratch);
    }
    for (int j = from; j < to; j += NR) {
      int count = Math.min(NR, to - j);
      long panel = dst + 4L * (j - from) * kc;
      if (type == DType.F32) {
        PackFloats.transpose(b + 4 * ((long) j * k + pc), 4L * k, count, kc, panel);
      } else {
        decodeAndTranspose(type, pc, kc, j, count, panel);
      }
    }
  }

  private void rows(DType type, int pc, int kc, int from, int count, long dst) {
    if (type == DType.F32) {
      PackFloats.copy(b + 4 * ((long) pc * n + from), 4L * n, count, kc, dst);
      return;
    }
    for (int d = 0; d < kc; d += RUN) {
      int rows = Math.min(RUN, kc - d);
      for (int j = 0; j < count; j += NR) {
        int width = Math.min(NR, count - j);
        for (int i = 0; i < rows; i++) {
          decode(type, n, pc + d + i, from + j, width, scratch + 4L * NR * i);
        }
        PackFloats.copy(scratch, 4L * NR, width, rows, dst + 4L * (j * kc + d * NR));
      }
    }
  }

  private void decodeAndTranspose(DType type, int pc, int kc, int j, int count, long panel) {
    int done =
        type == DType.BF16 && count == NR
            ? PackFloats.transposeBf16(b + 2 * ((long) j * k + pc), 2L * k, kc, panel)
            : 0;
    for (int d = done; d < kc; d += RUN) {
      int run = Math.min(RUN, kc - d);
      for (int i = 0; i < count; i++) {
        decode(type, k, j + i, pc + d, run, scratch + 4L * RUN * i);
      }
      PackFloats.transpose(scratch, 4L * RUN, count, run, panel + 4L * d * NR);
    }
  }

  /** {@code count} elements from {@code from} on of a row of {@code length}. */
  private void decode(DType type, int length, int row, int from, int count, long to) {
    PackWiden.run(type, b + type.bytes((long) row * length), from, count, to);
  }
}

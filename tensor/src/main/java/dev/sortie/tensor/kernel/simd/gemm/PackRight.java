package dev.sortie.tensor.kernel.simd.gemm;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.tile.TileDecoding;
import dev.sortie.tensor.kernel.simd.vector.ReadAhead;
import dev.sortie.tensor.kernel.tile.TileType;

/**
 * Packs the right operand of a matrix product, of any type: rows that are not F32 are decoded a few
 * at a time to a scratch, from which they are packed while they are in the L1 cache. BF16 rows go
 * to a panel directly, see {@link Pack#transposeBf16}: SmolLM2-135M reads 17 tokens in 59 ms, not
 * in 66 (Zen 4, two threads).
 *
 * @param trans whether b is stored as {@code [n, k]}, not {@code [k, n]}
 * @param b address
 * @param right how b lies there
 * @param scratch address of {@link #SCRATCH_BYTES}
 */
record PackRight(boolean trans, int n, int k, long b, RightOperand right, long scratch) {
  private static final int NR = Gemm.NR;

  /** Values of k that are decoded at a time. */
  private static final int RUN = 128;

  static final long SCRATCH_BYTES = 4L * NR * RUN;

  /**
   * Packs columns {@code [from, to)} of op(b), whose first is the first of a panel, at {@code [pc,
   * pc + kc)} of K, panel after panel.
   */
  void run(int pc, int kc, int from, int to, float[] dst) {
    switch (right) {
      case RightOperand.Rows(DType type) when trans -> columns(type, pc, kc, from, to, dst);
      case RightOperand.Rows(DType type) -> rows(type, pc, kc, from, to - from, dst);
      case RightOperand.Tiles(TileType type) -> {
        for (int j = from; j < to; j += NR) {
          long tile = b + j / NR * type.tileBytes(NR, k);
          TileDecoding.run(type, tile, k, pc, kc, dst, (j - from) * kc);
        }
      }
      case RightOperand.Panels _ -> throw new IllegalStateException("panels are not packed again");
    }
  }

  private void columns(DType type, int pc, int kc, int from, int to, float[] dst) {
    long bytes = type.bytes((long) (to - from) * k);
    if (type != DType.F32 && pc == 0 && bytes <= ReadAhead.MOST) {
      ReadAhead.run(b + type.bytes((long) from * k), bytes, scratch);
    }
    for (int j = from; j < to; j += NR) {
      int count = Math.min(NR, to - j);
      int at = (j - from) * kc;
      if (type == DType.F32) {
        Pack.transpose(b + 4 * ((long) j * k + pc), 4L * k, count, kc, NR, dst, at);
      } else {
        decodeAndTranspose(type, pc, kc, j, count, dst, at);
      }
    }
  }

  private void rows(DType type, int pc, int kc, int from, int count, float[] dst) {
    if (type == DType.F32) {
      Pack.copy(b + 4 * ((long) pc * n + from), 4L * n, count, kc, NR, dst, 0);
      return;
    }
    for (int d = 0; d < kc; d += RUN) {
      int rows = Math.min(RUN, kc - d);
      for (int j = 0; j < count; j += NR) {
        int width = Math.min(NR, count - j);
        for (int i = 0; i < rows; i++) {
          decode(type, n, pc + d + i, from + j, width, scratch + 4L * NR * i);
        }
        Pack.copy(scratch, 4L * NR, width, rows, NR, dst, j * kc + d * NR);
      }
    }
  }

  private void decodeAndTranspose(
      DType type, int pc, int kc, int j, int count, float[] dst, int at) {
    int done =
        type == DType.BF16 && count == NR
            ? Pack.transposeBf16(b + 2 * ((long) j * k + pc), 2L * k, kc, NR, dst, at)
            : 0;
    for (int d = done; d < kc; d += RUN) {
      int run = Math.min(RUN, kc - d);
      for (int i = 0; i < count; i++) {
        decode(type, k, j + i, pc + d, run, scratch + 4L * RUN * i);
      }
      Pack.transpose(scratch, 4L * RUN, count, run, NR, dst, at + d * NR);
    }
  }

  /** {@code count} elements from {@code from} on of a row of {@code length}. */
  private void decode(DType type, int length, int row, int from, int count, long to) {
    PackWiden.run(type, b + type.bytes((long) row * length), from, count, to);
  }
}

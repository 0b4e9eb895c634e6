package dev.sortie.tensor.kernel.simd.attention;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.kernel.simd.vector.VectorMath;

/**
 * A token of value zero in each softmax of an attention that is done: a pass over its results, so
 * attention without one is the same kernel. Forward, a task is some rows; backward, a kv head,
 * which owns its part of the key's gradient.
 */
final class ZeroTokenPass {
  private final WorkerPool pool;

  ZeroTokenPass(WorkerPool pool) {
    this.pool = pool;
  }

  void run(AttentionCall.ZeroToken c) {
    AttentionShape s = c.shape();
    pool.range(
        Math.toIntExact(s.rows()),
        Split.grain(s.headSize()),
        (from, to) -> {
          for (int row = from; row < to; row++) {
            row(c, row);
          }
        });
  }

  private static void row(AttentionCall.ZeroToken c, int row) {
    AttentionShape s = c.shape();
    int size = s.headSize();
    long key = c.key().address() + 4L * (row % s.heads() / s.groupSize()) * size;
    long lse = c.lse().address() + 4 * lse(s, row);
    float z = (float) s.scale() * Sums.dot(c.u().address() + 4L * row * size, key, size);
    float others = Lanes.get(lse);
    float max = Math.max(z, others);
    float both = max + VectorMath.log(1 + VectorMath.exp(Math.min(z, others) - max));
    long out = c.out().address() + 4L * row * size;
    Elementwise.scale(VectorMath.exp(others - both), out, out, size);
    Lanes.set(lse, both);
    Lanes.set(c.share().address() + 4L * row, VectorMath.exp(z - both));
  }

  void run(AttentionCall.ZeroTokenBackward c) {
    AttentionShape s = c.shape();
    pool.range(
        s.kvHeads(),
        Split.grain(s.rows() / s.kvHeads() * s.headSize() / 4),
        (from, to) -> {
          for (int kv = from; kv < to; kv++) {
            head(c, kv);
          }
        });
  }

  private static void head(AttentionCall.ZeroTokenBackward c, int kv) {
    AttentionShape s = c.shape();
    int size = s.headSize();
    long key = c.key().address() + 4L * kv * size;
    long dkey = c.dkey().address() + 4L * kv * size;
    Elementwise.fill(dkey, size, 0f);
    for (int token = 0; token < s.batch() * s.queries(); token++) {
      for (int h = kv * s.groupSize(); h < (kv + 1) * s.groupSize(); h++) {
        int row = token * s.heads() + h;
        long at = 4L * row * size;
        float share = Lanes.get(c.share().address() + 4L * row);
        float ofShare = share * Lanes.get(c.dshare().address() + 4L * row);
        float delta = Sums.dot(c.dout().address() + at, c.out().address() + at, size);
        float dz = (float) s.scale() * (ofShare - share * (delta + ofShare));
        Elementwise.scale(dz, key, c.du().address() + at, size);
        Elementwise.axpy(dz, c.u().address() + at, dkey, size);
        Lanes.set(c.dlse().address() + 4 * lse(s, row), -ofShare);
      }
    }
  }

  /** Where the log-sum-exp of a row of queries lies. */
  private static long lse(AttentionShape s, int row) {
    int token = row / s.heads();
    long b = token / s.queries();
    return (b * s.heads() + row % s.heads()) * s.queries() + token % s.queries();
  }
}

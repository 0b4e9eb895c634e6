package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.AttentionTiles.ROWS;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;

/**
 * The backward pass of attention (arXiv 2205.14135, section 3): weights are computed again from the
 * scores and the saved log-sum-exp. One task a kv head, which owns its part of dk and dv, so no sum
 * is shared between threads.
 */
final class AttentionBackward {
  private final WorkerPool pool;
  private final Scratch scratch = new Scratch();

  AttentionBackward(WorkerPool pool) {
    this.pool = pool;
  }

  /** The operands of {@code Kernels.attentionBackward}. */
  record Spans(Span q, Span k, Span v, Span out, Span lse, Span dout, Span dq, Span dk, Span dv) {}

  void run(Spans o, AttentionShape s) {
    long work = (long) s.keys() * s.headSize() * s.groupSize() * s.queries() / 4;
    pool.range(
        Math.multiplyExact(s.batch(), s.kvHeads()),
        Split.grain(work),
        (from, to) -> {
          for (int t = from; t < to; t++) {
            head(o, s, t / s.kvHeads(), t % s.kvHeads());
          }
        });
  }

  private void head(Spans o, AttentionShape s, int b, int kv) {
    int keys = s.keys();
    int pitch = (keys + 2 * Width.LANES - 1) / (2 * Width.LANES) * (2 * Width.LANES);
    int size = AttentionHead.size(s);
    long plane = 4L * size * pitch;
    long tile = 4L * ROWS * size;
    long query = scratch.floats((3 * tile + 2L * 4 * ROWS * pitch + 6 * plane) / 4);
    long dout = query + tile;
    long dquery = dout + tile;
    long scores = dquery + tile;
    long dscores = scores + 4L * ROWS * pitch;
    long packed = dscores + 4L * ROWS * pitch;
    long packedValues = packed + plane;
    long keysT = packedValues + plane;
    long valuesT = keysT + plane;
    long dkeys = valuesT + plane;
    long dvalues = dkeys + plane;
    AttentionHead key = AttentionHead.of(o.k, s, b, kv, keys, packed);
    key.transpose(s.headSize(), keys, pitch, keysT);
    AttentionHead.of(o.v, s, b, kv, keys, packedValues)
        .transpose(s.headSize(), keys, pitch, valuesT);
    Elementwise.fill(dkeys, 2L * size * pitch, 0f);
    QueryRows rows = new QueryRows(s, b, kv, 0, s.queries());
    float scale = (float) s.scale();
    for (int r = 0; r < rows.count(); r += ROWS) {
      int live = Math.min(ROWS, rows.count() - r);
      int common = rows.visible(r);
      int most = rows.visible(r + live - 1);
      rows.load(o.q.address(), r, query, size);
      rows.load(o.dout.address(), r, dout, size);
      AttentionTiles.scoresByKey(query, size, keysT, pitch, most, s.headSize(), scale, scores);
      AttentionTiles.scoresByKey(dout, size, valuesT, pitch, most, s.headSize(), 1f, dscores);
      for (int i = 0; i < live; i++) {
        float delta =
            Sums.dot(dout + 4L * i * size, o.out.address() + 4 * rows.element(r + i), s.headSize());
        float lse = Lanes.get(o.lse.address() + 4 * rows.lse(r + i));
        long at = 4L * i * pitch;
        AttentionTiles.softmaxBackward(
            scores + at, dscores + at, rows.visible(r + i), lse, delta, scale);
      }
      for (int i = live; i < ROWS; i++) {
        Elementwise.fill(scores + 4L * i * pitch, common, 0f);
        Elementwise.fill(dscores + 4L * i * pitch, common, 0f);
      }
      AttentionTiles.weightedSum(dscores, pitch, key.address(), key.stride(), common, size, dquery);
      AttentionTiles.outerAdd(dscores, pitch, query, common, size, dkeys);
      AttentionTiles.outerAdd(scores, pitch, dout, common, size, dvalues);
      for (int i = 0; i < live; i++) {
        long row = 4L * i * size;
        for (long j = common; j < rows.visible(r + i); j++) {
          float p = Lanes.get(scores + 4 * ((long) i * pitch + j));
          float ds = Lanes.get(dscores + 4 * ((long) i * pitch + j));
          Elementwise.axpy(ds, key.address() + j * key.stride(), dquery + row, size);
          Elementwise.axpy(ds, query + row, dkeys + 4 * j * size, size);
          Elementwise.axpy(p, dout + row, dvalues + 4 * j * size, size);
        }
        long to = o.dq.address() + 4 * rows.element(r + i);
        Conversions.copyBytes(dquery + row, to, 4L * s.headSize());
      }
    }
    storeRows(dkeys, size, o.dk.address(), s, b, kv);
    storeRows(dvalues, size, o.dv.address(), s, b, kv);
  }

  private static void storeRows(long from, int size, long x, AttentionShape s, int b, int kv) {
    for (long j = 0; j < s.keys(); j++) {
      long to = x + 4 * (((long) b * s.keys() + j) * s.kvHeads() + kv) * s.headSize();
      Conversions.copyBytes(from + 4 * j * size, to, 4L * s.headSize());
    }
  }
}

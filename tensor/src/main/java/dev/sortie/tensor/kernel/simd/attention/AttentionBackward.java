package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.attention.QueryLanes.ROWS;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.LaneTranspose;
import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Scratch;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;

/**
 * The backward pass of attention (arXiv 2205.14135, section 3): weights are computed again from the
 * scores and the saved log-sum-exp, block by block. One task a kv head, which owns its part of dk
 * and dv, so no sum is shared between threads. A task goes through its query rows in tiles of
 * {@link QueryLanes#ROWS} and for each through the keys in blocks of {@value #KEYS}.
 */
final class AttentionBackward {
  /** Keys per block: weights and their gradients of a tile are 32 KiB at 512 bits. */
  private static final int KEYS = 128;

  private final WorkerPool pool;
  private final Scratch scratch = new Scratch();

  AttentionBackward(WorkerPool pool) {
    this.pool = pool;
  }

  void run(AttentionCall.AttentionBackward o) {
    AttentionShape s = o.shape();
    long work = (long) s.keys() * s.headSize() * s.groupSize() * s.queries() / 4;
    pool.range(
        Math.multiplyExact(s.batch(), s.kvHeads()),
        Split.grain(work),
        (from, to) -> {
          for (int t = from; t < to; t++) {
            new Head(o, t / s.kvHeads(), t % s.kvHeads(), scratch).run();
          }
        });
  }

  /** One task, and where its parts lie in scratch memory. */
  private static final class Head {
    private final AttentionCall.AttentionBackward o;
    private final AttentionShape s;
    private final int b;
    private final int kv;
    private final QueryRows rows;
    private final int size;
    private final long plane;
    private final long key;
    private final long value;
    private final long dkey;
    private final long dvalue;
    private final long query;
    private final long dout;
    private final long queryLanes;
    private final long doutLanes;
    private final long dqueryLanes;
    private final long scores;
    private final long dscores;
    private final long lse;
    private final long delta;
    private final long visible;

    Head(AttentionCall.AttentionBackward o, int b, int kv, Scratch scratch) {
      this.o = o;
      this.s = o.shape();
      this.b = b;
      this.kv = kv;
      this.rows = new QueryRows(s, b, kv, 0, s.queries());
      this.size = AttentionHead.paddedSize(s);
      this.plane = (long) AttentionHead.rounded(s.keys()) * size;
      long matrix = (long) ROWS * size;
      long block = (long) KEYS * ROWS;
      this.key = scratch.floats(4 * plane + 5 * matrix + 2 * block + 4L * ROWS);
      this.value = key + 4 * plane;
      this.dkey = value + 4 * plane;
      this.dvalue = dkey + 4 * plane;
      this.query = dvalue + 4 * plane;
      this.dout = query + 4 * matrix;
      this.queryLanes = dout + 4 * matrix;
      this.doutLanes = queryLanes + 4 * matrix;
      this.dqueryLanes = doutLanes + 4 * matrix;
      this.scores = dqueryLanes + 4 * matrix;
      this.dscores = scores + 4 * block;
      this.lse = dscores + 4 * block;
      this.delta = lse + 4L * ROWS;
      this.visible = delta + 4L * ROWS;
    }

    void run() {
      AttentionHead.pack(o.k(), s, b, kv, 0, s.keys(), size, key);
      AttentionHead.pack(o.v(), s, b, kv, 0, s.keys(), size, value);
      Elementwise.fill(dkey, 2 * plane, 0f);
      for (int r = 0; r < rows.count(); r += ROWS) {
        tile(r, Math.min(ROWS, rows.count() - r));
      }
      storeKeys(dkey, o.dk().address());
      storeKeys(dvalue, o.dv().address());
    }

    private void tile(int r, int live) {
      load(r, live);
      int most = rows.visible(r + live - 1);
      for (int from = rows.firstKey(r) / KEYS * KEYS; from < most; from += KEYS) {
        block(r, live, from, Math.min(KEYS, most - from));
      }
      LaneTranspose.run(dqueryLanes, size, ROWS, dout);
      for (int i = 0; i < live; i++) {
        long to = o.dq().address() + 4 * rows.element(r + i);
        Conversions.copyBytes(dout + 4L * i * size, to, 4L * s.headSize());
      }
    }

    private void load(int r, int live) {
      rows.load(o.q().address(), r, ROWS, query, size);
      rows.load(o.dout().address(), r, ROWS, dout, size);
      LaneTranspose.run(query, ROWS, size, queryLanes);
      LaneTranspose.run(dout, ROWS, size, doutLanes);
      Elementwise.scale((float) s.scale(), queryLanes, queryLanes, (long) ROWS * size);
      Elementwise.fill(dqueryLanes, (long) ROWS * size, 0f);
      Elementwise.fill(lse, 2L * ROWS, 0f);
      rows.storeVisible(r, ROWS, visible);
      for (int i = 0; i < live; i++) {
        long row = o.out().address() + 4 * rows.element(r + i);
        float ofOut = Sums.dot(dout + 4L * i * size, row, s.headSize());
        Lanes.set(delta + 4L * i, o.dlse() == null ? ofOut : ofOut - ofLse(rows.lse(r + i)));
        Lanes.set(lse + 4L * i, Lanes.get(o.lse().address() + 4 * rows.lse(r + i)));
      }
    }

    /** Beyond what a softmax takes off: {@code d lse / d score} is the weight itself. */
    private float ofLse(long row) {
      return Lanes.get(o.dlse().address() + 4 * row);
    }

    private void block(int r, int live, int from, int keys) {
      long keyBlock = key + 4L * from * size;
      long valueBlock = value + 4L * from * size;
      int padded = AttentionHead.rounded(keys);
      QueryLanes.scores(keyBlock, size, queryLanes, s.headSize(), padded, scores);
      QueryLanes.scores(valueBlock, size, doutLanes, s.headSize(), padded, dscores);
      int common = Math.clamp(rows.visible(r) - from, 0, keys);
      int unseen = Math.clamp(rows.firstKey(r + live - 1) - from, 0, keys);
      int first = unseen > 0 ? 0 : common;
      int hidden = (common < padded ? padded : unseen) - first;
      long behind = 4L * first * ROWS;
      QueryColumns.hide(scores + behind, from + first, hidden, visible, Float.NEGATIVE_INFINITY);
      QueryColumns.hide(dscores + behind, from + first, hidden, visible, 0f);
      QueryColumns.backward(scores, dscores, padded, lse, delta, (float) s.scale());
      QueryLanes.combine(keyBlock, size, dscores, padded, s.headSize(), dqueryLanes);
      QueryLanes.scatter(dscores, padded, query, size, live, dkey + 4L * from * size);
      QueryLanes.scatter(scores, padded, dout, size, live, dvalue + 4L * from * size);
    }

    private void storeKeys(long from, long x) {
      for (long j = 0; j < s.keys(); j++) {
        long to = x + 4 * (((long) b * s.keys() + j) * s.kvHeads() + kv) * s.headSize();
        Conversions.copyBytes(from + 4 * j * size, to, 4L * s.headSize());
      }
    }
  }
}

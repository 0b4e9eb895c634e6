package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.attention.AttentionTiles.ROWS;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Exponentials;
import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Scratch;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.VectorMath;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Causal grouped-query attention, forward, for the {@link AttentionShape#few} queries of a
 * sequence; {@link AttentionBlocks} takes the others. A task is a tile of four query rows that read
 * the same kv head; tasks of a head that follow each other go through it together. Each tile writes
 * its scores over all visible keys into scratch memory, turns them into weights, and sums the
 * values: two passes over the keys and no running rescale, so a row's bits do not depend on how
 * keys are blocked, nor on where in memory they lie.
 *
 * <p>No row's arithmetic depends on its neighbours: keys beyond the shortest row of a tile are
 * added row by row, after the others, as they come in order. Where a window hides keys, the rows of
 * a tile belong to one query and so begin with the same key.
 */
public final class Attention {
  /** Keys per block where rows are scored one by one: 16 KiB at a head size of 128. */
  private static final int KEY_BLOCK = 32;

  private final WorkerPool pool;
  private final Scratch scratch = new Scratch();
  private final AttentionBlocks blocks;
  private final AttentionBackward backward;
  private final ZeroTokenPass zeroToken;

  public Attention(WorkerPool pool) {
    this.pool = pool;
    this.blocks = new AttentionBlocks(pool);
    this.backward = new AttentionBackward(pool);
    this.zeroToken = new ZeroTokenPass(pool);
  }

  /** Does a call; with {@code kernels} where it consists of other calls. */
  public void run(AttentionCall call, Kernels kernels) {
    switch (call) {
      case AttentionCall.Rope c -> Rope.run(pool, c);
      case AttentionCall.OverRuns c -> overRuns(c, kernels);
      case AttentionCall.OfSequences c -> ofSequences(c, kernels);
      case AttentionCall.Attention c -> forward(c);
      case AttentionCall.AttentionBackward c -> backward.run(c);
      case AttentionCall.ZeroToken c -> zeroToken.run(c);
      case AttentionCall.ZeroTokenBackward c -> zeroToken.run(c);
    }
  }

  private void forward(AttentionCall.Attention c) {
    AttentionShape s = c.shape();
    if (s.few() > 0) {
      few(c.q(), List.of(c.k()), List.of(c.v()), c.out(), c.lse(), s);
    }
    if (s.few() < s.queries()) {
      blocks.forward(c.q(), c.k(), c.v(), c.out(), c.lse(), s);
    }
  }

  /** Keys and values of many queries are copied together by {@code kernels} first. */
  private void overRuns(AttentionCall.OverRuns c, Kernels kernels) {
    if (c.shape().queries() > Kernels.ROW_STABLE) {
      c.joined(kernels);
    } else {
      few(c.q(), c.k(), c.v(), c.out(), c.lse(), c.shape());
    }
  }

  /** Keys and values lie in several runs, or in one, which may then be of several sequences. */
  private void few(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    pool.range(
        Math.multiplyExact(s.batch(), headTiles(s)),
        Split.grain(work(s)),
        (from, to) -> tiles(q, k, v, out, lse, s, from, to));
  }

  /**
   * Tiles {@code [from, to)} of the query rows of all sequences and kv heads, one head after the
   * other.
   */
  private void tiles(
      Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s, int from, int to) {
    int tiles = tiles(s);
    for (int t = from; t < to; ) {
      int head = t / tiles;
      int end = Math.min(to, (head + 1) * tiles);
      int first = t - head * tiles;
      int kv = head % s.kvHeads();
      head(q, k, v, out, lse, s, head / s.kvHeads(), kv, first, first + end - t);
      t = end;
    }
  }

  /** Tiles of the query rows that read a kv head. */
  private static int tiles(AttentionShape s) {
    return Math.ceilDiv(s.few() * s.groupSize(), ROWS);
  }

  /** Tiles of the query rows of a sequence. */
  private static int headTiles(AttentionShape s) {
    return Math.multiplyExact(s.kvHeads(), tiles(s));
  }

  /** Elements that a tile touches: keys and values, which are mostly read from memory, and sums. */
  private static long work(AttentionShape s) {
    return (long) (s.keys() - s.first(0)) * s.headSize() * 2;
  }

  /**
   * The kv heads of all sequences in one region, unless one has many queries. Threads take tiles of
   * equal work, not equal numbers of them: a list of requests begins with the oldest, the longest.
   */
  private void ofSequences(AttentionCall.OfSequences call, Kernels kernels) {
    List<AttentionCall.OverRuns> sequences = call.sequences();
    if (sequences.stream().anyMatch(s -> s.shape().queries() > Kernels.ROW_STABLE)) {
      sequences.forEach(kernels::run);
      return;
    }
    long all = sequences.stream().mapToLong(c -> work(c.shape()) * headTiles(c.shape())).sum();
    Split.elements(
        pool,
        all,
        (from, to) -> {
          long before = 0;
          for (AttentionCall.OverRuns c : sequences) {
            AttentionShape s = c.shape();
            int first = begun(from - before, s);
            int last = begun(to - before, s);
            tiles(c.q(), c.k(), c.v(), c.out(), c.lse(), s, first, last);
            before += work(s) * headTiles(s);
          }
        });
  }

  /** Tiles of a sequence whose work begins in its first {@code elements}. */
  private static int begun(long elements, AttentionShape s) {
    return Math.clamp(Math.ceilDiv(elements, work(s)), 0, headTiles(s));
  }

  /** Tiles {@code [firstTile, lastTile)} of the query rows of a kv head. */
  private void head(
      Span q,
      List<Span> k,
      List<Span> v,
      Span out,
      Span lse,
      AttentionShape s,
      int b,
      int kv,
      int firstTile,
      int lastTile) {
    int low = s.first(0);
    int keys = s.visible(s.few() - 1) - low;
    int pitch = (keys + Width.LANES - 1) / Width.LANES * Width.LANES;
    int size = AttentionHead.size(s);
    boolean packs =
        AttentionHead.mustPack(k.getFirst(), s) || AttentionHead.mustPack(v.getFirst(), s);
    long packed = packs ? 2L * size * keys : 0;
    long tile = scratch.floats(2L * ROWS * size + (long) ROWS * pitch + packed);
    long sums = tile + 4L * ROWS * size;
    long scores = sums + 4L * ROWS * size;
    long packedKeys = scores + 4L * ROWS * pitch;
    long packedValues = packedKeys + 4L * size * keys;
    AttentionRuns key = AttentionRuns.of(k, s, b, kv, low, keys, packedKeys);
    AttentionRuns value = AttentionRuns.of(v, s, b, kv, low, keys, packedValues);
    QueryRows rows = new QueryRows(s, b, kv, 0, s.few());
    float scale = (float) s.scale();
    long qs = q.address();
    long outs = out.address();
    long lses = lse.address();
    int live;
    int last = Math.min(rows.count(), lastTile * ROWS);
    for (int r = firstTile * ROWS; r < last; r += live) {
      live = rows.tile(r, Math.min(ROWS, last - r));
      rows.load(qs, r, ROWS, tile, size);
      int start = rows.firstKey(r);
      int begin = start - low;
      int common = rows.visible(r) - start;
      int most = rows.visible(r + live - 1) - start;
      scoresByRow(tile, live, size, key, begin, most, scale, scores, pitch);
      for (int i = live; i < ROWS; i++) {
        Elementwise.fill(scores + 4L * i * pitch, common, 0f);
      }
      float[] inverse = new float[live];
      for (int i = 0; i < live; i++) {
        long row = scores + 4L * i * pitch;
        int seen = rows.visible(r + i) - start;
        float max = Exponentials.max(row, seen);
        float sum = Exponentials.sumAndStore(row, row, seen, max);
        inverse[i] = 1f / sum;
        Lanes.set(lses + 4 * rows.lse(r + i), max + VectorMath.log(sum));
      }
      weightedSum(live, scores, pitch, value, begin, common, size, sums);
      for (int i = 0; i < live; i++) {
        long row = sums + 4L * i * size;
        for (int j = common; j < rows.visible(r + i) - start; j++) {
          float weight = Lanes.get(scores + 4 * ((long) i * pitch + j));
          Elementwise.axpy(weight, value.at(begin + j), row, size);
        }
        Elementwise.scale(inverse[i], row, outs + 4 * rows.element(r + i), s.headSize());
      }
    }
  }

  /** Scores of a tile over keys {@code [begin, begin + keys)}, run by run. */
  private static void scoresByRow(
      long tile,
      int live,
      int size,
      AttentionRuns key,
      int begin,
      int keys,
      float scale,
      long scores,
      int pitch) {
    for (int i = 0; i < key.count(); i++) {
      int from = Math.max(begin, key.first(i));
      int count = Math.min(begin + keys, key.end(i)) - from;
      if (count > 0) {
        long to = scores + 4L * (from - begin);
        scoresByRow(tile, live, size, key.at(i, from), key.stride(), count, scale, to, pitch);
      }
    }
  }

  /** Sums of a tile over keys {@code [begin, begin + keys)}, run by run. */
  private static void weightedSum(
      int live,
      long scores,
      int pitch,
      AttentionRuns value,
      int begin,
      int keys,
      int size,
      long sums) {
    Elementwise.fill(sums, (long) (live == 1 ? 1 : ROWS) * size, 0f);
    for (int i = 0; i < value.count(); i++) {
      int from = Math.max(begin, value.first(i));
      int count = Math.min(begin + keys, value.end(i)) - from;
      if (count > 0) {
        long p = scores + 4L * (from - begin);
        long v = value.at(i, from);
        if (live == 1) {
          AttentionTiles.weightedSumOfRow(p, v, value.stride(), count, size, sums);
        } else {
          AttentionTiles.weightedSum(p, pitch, v, value.stride(), count, size, sums);
        }
      }
    }
  }

  /** Scores of the live rows of a tile, by blocks of keys that stay in the L1 cache. */
  private static void scoresByRow(
      long tile,
      int live,
      int size,
      long key,
      long stride,
      int keys,
      float scale,
      long scores,
      int pitch) {
    for (int from = 0; from < keys; from += KEY_BLOCK) {
      int to = Math.min(keys, from + KEY_BLOCK);
      for (int i = 0; i < live; i++) {
        AttentionTiles.scoresByRow(
            tile + 4L * i * size, size, key, stride, from, to, scale, scores + 4L * i * pitch);
      }
    }
  }
}

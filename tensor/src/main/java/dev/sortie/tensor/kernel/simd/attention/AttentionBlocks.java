package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.attention.QueryLanes.ROWS;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.LaneTranspose;
import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Scratch;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.kernel.simd.vector.VectorMath;
import dev.sortie.tensor.memory.Span;

/**
 * Causal grouped-query attention, forward, for many queries: blockwise with an online softmax
 * (Milakov and Gimelshein, arXiv 1805.02867; Dao et al., arXiv 2205.14135). A task is a kv head and
 * a chunk of its query rows. It goes through the keys in blocks of {@value #KEYS}, and for each
 * block through the chunk in tiles of {@link QueryLanes#ROWS} rows, which keep a running maximum,
 * sum and output. Scratch memory does not grow with the number of tokens.
 *
 * <p>Blocks begin at multiples of {@value #KEYS} for every row, so chunks and threads change no
 * bit.
 */
final class AttentionBlocks {
  /** Keys per block. */
  private static final int KEYS = 128;

  /** Query rows a task: enough to pay for packing the keys. */
  private static final int CHUNK_ROWS = 256;

  private final WorkerPool pool;
  private final Scratch scratch = new Scratch();

  AttentionBlocks(WorkerPool pool) {
    this.pool = pool;
  }

  /** The queries after the {@link AttentionShape#few} first ones. */
  void forward(Span q, Span k, Span v, Span out, Span lse, AttentionShape s) {
    int queries = Math.max(1, CHUNK_ROWS / s.groupSize());
    int chunks = Math.ceilDiv(s.queries() - s.few(), queries);
    int heads = Math.multiplyExact(s.batch(), s.kvHeads());
    Split.uneven(
        pool,
        Math.multiplyExact(heads, chunks),
        t -> {
          QueryRows rows = rows(s, t, heads, chunks, queries);
          return (long) rows.count() * rows.visible(rows.count() / 2) * s.headSize() / 8;
        },
        t -> new Chunk(s, rows(s, t, heads, chunks, queries), scratch).run(q, k, v, out, lse));
  }

  /** The rows of task {@code t}: last chunks first, since they see most keys. */
  private static QueryRows rows(AttentionShape s, int t, int heads, int chunks, int queries) {
    int first = s.few() + (chunks - 1 - t / heads) * queries;
    int last = Math.min(s.queries(), first + queries);
    int head = t % heads;
    return new QueryRows(s, head / s.kvHeads(), head % s.kvHeads(), first, last);
  }

  /** The rows of one task, and where its parts lie in scratch memory. */
  private static final class Chunk {
    private final AttentionShape s;
    private final QueryRows rows;
    private final int size;
    private final long key;
    private final long value;
    private final long before;
    private final long scores;
    private final long staged;
    private final long inverse;
    private final long tiles;
    private boolean finite;

    Chunk(AttentionShape s, QueryRows rows, Scratch scratch) {
      this.s = s;
      this.rows = rows;
      this.size = AttentionHead.paddedSize(s);
      long block = (long) KEYS * size;
      long matrix = (long) ROWS * size;
      int count = (rows.count() + ROWS - 1) / ROWS;
      long tile = tileFloats(size);
      this.key = scratch.floats(2 * block + (KEYS + 2L) * ROWS + matrix + count * tile);
      this.value = key + 4 * block;
      this.before = value + 4 * block;
      this.scores = before + 4L * ROWS;
      this.staged = scores + 4L * KEYS * ROWS;
      this.inverse = staged + 4 * matrix;
      this.tiles = inverse + 4L * ROWS;
    }

    /** A tile's queries and outputs {@code [size, ROWS]}, maxima, sums, last and first keys. */
    private static long tileFloats(int size) {
      return 2L * ROWS * size + 4L * ROWS;
    }

    private long queries(int r) {
      return tiles + 4 * (r / ROWS * tileFloats(size));
    }

    private long output(int r) {
      return queries(r) + 4L * ROWS * size;
    }

    private long max(int r) {
      return output(r) + 4L * ROWS * size;
    }

    private long sum(int r) {
      return max(r) + 4L * ROWS;
    }

    private long visible(int r) {
      return sum(r) + 4L * ROWS;
    }

    void run(Span q, Span k, Span v, Span out, Span lse) {
      for (int r = 0; r < rows.count(); r += ROWS) {
        begin(q.address(), r);
      }
      int most = rows.visible(rows.count() - 1);
      for (int from = rows.firstKey(0) / KEYS * KEYS; from < most; from += KEYS) {
        int count = Math.min(KEYS, most - from);
        AttentionHead.pack(k, s, rows.batch(), rows.kvHead(), from, count, size, key);
        AttentionHead.pack(v, s, rows.batch(), rows.kvHead(), from, count, size, value);
        finite = Float.isFinite(Sums.dot(value, value, (long) count * size));
        for (int r = 0; r < rows.count(); r += ROWS) {
          block(r, from, count);
        }
      }
      for (int r = 0; r < rows.count(); r += ROWS) {
        end(r, out.address(), lse.address());
      }
    }

    private void begin(long q, int r) {
      rows.load(q, r, ROWS, staged, size);
      Elementwise.scale((float) s.scale(), staged, staged, (long) ROWS * size);
      LaneTranspose.run(staged, ROWS, size, queries(r));
      Elementwise.fill(output(r), (long) ROWS * size, 0f);
      // With a window a row may see nothing of a block, and -inf - -inf is no number.
      float none = s.windowed() ? -Float.MAX_VALUE : Float.NEGATIVE_INFINITY;
      Elementwise.fill(max(r), ROWS, none);
      Elementwise.fill(sum(r), ROWS, 0f);
      rows.storeVisible(r, ROWS, visible(r));
    }

    /** Keys {@code [from, from + available)} for one tile. */
    private void block(int r, int from, int available) {
      int last = Math.min(r + ROWS, rows.count()) - 1;
      int keys = Math.min(available, rows.visible(last) - from);
      if (keys <= 0 || rows.firstKey(r) >= from + keys) {
        return;
      }
      int padded = AttentionHead.rounded(keys);
      QueryLanes.scores(key, size, queries(r), s.headSize(), padded, scores);
      int common = Math.clamp(rows.visible(r) - from, 0, keys);
      int unseen = Math.clamp(rows.firstKey(last) - from, 0, keys);
      int first = unseen > 0 ? 0 : common;
      int end = common < padded ? padded : unseen;
      QueryColumns.hide(
          scores + 4L * first * ROWS,
          from + first,
          end - first,
          visible(r),
          Float.NEGATIVE_INFINITY);
      Conversions.copyBytes(max(r), before, 4L * ROWS);
      QueryColumns.max(before, 1 + keys, max(r));
      QueryColumns.weights(before, 1 + keys, max(r), sum(r));
      if (from > 0) {
        QueryColumns.scale(output(r), s.headSize(), before);
      }
      if (finite || (unseen == 0 && common == keys)) {
        QueryLanes.combine(value, size, scores, keys, s.headSize(), output(r));
      } else {
        int shared = Math.min(unseen, common);
        combineVisible(r, from, 0, shared);
        QueryLanes.combine(
            value + 4L * shared * size,
            size,
            scores + 4L * shared * ROWS,
            common - shared,
            s.headSize(),
            output(r));
        combineVisible(r, from, common, keys);
      }
    }

    /**
     * Adds keys {@code [first, end)} of the block from key {@code from} on, where they are seen.
     */
    private void combineVisible(int r, int from, int first, int end) {
      QueryLanes.combineVisible(
          value + 4L * first * size,
          size,
          scores + 4L * first * ROWS,
          from + first,
          end - first,
          s.headSize(),
          visible(r),
          output(r));
    }

    private void end(int r, long out, long lse) {
      for (int i = 0; i < ROWS; i++) {
        Lanes.set(inverse + 4L * i, 1f / Lanes.get(sum(r) + 4L * i));
      }
      QueryColumns.scale(output(r), size, inverse);
      LaneTranspose.run(output(r), size, ROWS, staged);
      for (int i = 0; i < Math.min(ROWS, rows.count() - r); i++) {
        long to = out + 4 * rows.element(r + i);
        Conversions.copyBytes(staged + 4L * i * size, to, 4L * s.headSize());
        float total = VectorMath.log(Lanes.get(sum(r) + 4L * i));
        Lanes.set(lse + 4 * rows.lse(r + i), Lanes.get(max(r) + 4L * i) + total);
      }
    }
  }
}

package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Above {@link Kernels#ROW_STABLE} rows, too, a row has one set of bits whatever their number: so
 * it does not matter in what pieces, each of more rows than that, a prompt is read.
 */
class ManyRowsContractTest {
  private static final List<WorkerPool> POOLS =
      IntStream.rangeClosed(1, 3).mapToObj(WorkerPool::new).toList();
  private static final int LEAST = Kernels.ROW_STABLE + 1;
  private static final int[] COUNTS = {LEAST, 18, 24, 31, 32, 33, 48, 64, 100, 127, 128, 200, 300};

  static Stream<Kernels> kernels() {
    return POOLS.stream().map(KernelSets::choose);
  }

  @AfterAll
  static void stop() {
    POOLS.forEach(WorkerPool::close);
  }

  private static Span random(NativeArena arena, Random random, long count) {
    Span x = arena.allocate(DType.F32, count).span();
    for (long i = 0; i < count; i++) {
      x.set(i, random.nextGaussian());
    }
    return x;
  }

  private static float[] floats(Span x) {
    float[] values = new float[(int) x.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) x.get(i);
    }
    return values;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aRowOfAProductHasTheSameBitsInEveryNumberOfRows(Kernels kernels) {
    List<DType> types =
        List.of(DType.F32, DType.BF16, DType.F16, DType.Q8_0, DType.Q4_0, DType.Q4_1);
    for (int[] size : new int[][] {{70, 96}, {45, 576}, {33, 1536}}) {
      int n = size[0];
      int k = size[1];
      for (DType type : types) {
        try (NativeArena arena = new NativeArena("test")) {
          Random random = new Random(k);
          Span x = random(arena, random, 300L * k);
          Span w = arena.allocate(type, (long) n * k).span();
          kernels.copy(random(arena, random, (long) n * k), w);
          PackedWeight packed = kernels.pack(w, n, k, arena);
          Span all = arena.allocate(DType.F32, 300L * n).span();
          kernels.linear(x, w, null, all, 300, n, k);
          for (int m : COUNTS) {
            int from = random.nextInt(300 - m + 1);
            Span rows = x.slice((long) from * k, (long) m * k);
            Span y = arena.allocate(DType.F32, (long) m * n).span();
            float[] expected = floats(all.slice((long) from * n, (long) m * n));
            kernels.linear(rows, w, null, y, m, n, k);
            assertThat(floats(y)).as("m %d n %d k %d %s", m, n, k, type).isEqualTo(expected);
            kernels.linear(rows, packed, null, y, m);
            assertThat(floats(y))
                .as("packed, m %d n %d k %d %s", m, n, k, type)
                .isEqualTo(expected);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void weightsOf16BitsGiveTheBitsOfTheSameWeightsInF32(Kernels kernels) {
    for (int[] size : new int[][] {{70, 96}, {33, 577}, {64, 1111}}) {
      int n = size[0];
      int k = size[1];
      for (DType type : List.of(DType.BF16, DType.F16)) {
        try (NativeArena arena = new NativeArena("test")) {
          Random random = new Random(k);
          Span x = random(arena, random, 43L * k);
          Span w = arena.allocate(type, (long) n * k).span();
          kernels.copy(random(arena, random, (long) n * k), w);
          Span wide = arena.allocate(DType.F32, (long) n * k).span();
          kernels.copy(w, wide);
          for (int m : new int[] {17, 43}) {
            Span y = arena.allocate(DType.F32, (long) m * n).span();
            Span expected = arena.allocate(DType.F32, (long) m * n).span();
            kernels.linear(x.slice(0, (long) m * k), w, null, y, m, n, k);
            kernels.linear(x.slice(0, (long) m * k), wide, null, expected, m, n, k);
            assertThat(floats(y))
                .as("m %d n %d k %d %s", m, n, k, type)
                .isEqualTo(floats(expected));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aRowOfAttentionHasTheSameBitsInEveryNumberOfQueries(Kernels kernels) {
    int keys = 300;
    for (int d : new int[] {20, 64}) {
      for (int group : new int[] {1, 3}) {
        for (int window : new int[] {AttentionShape.FULL, 40}) {
          try (NativeArena arena = new NativeArena("test")) {
            Random random = new Random(d);
            int row = 2 * group * d;
            Span q = random(arena, random, (long) keys * row);
            Span k = random(arena, random, (long) keys * 2 * d);
            Span v = random(arena, random, (long) keys * 2 * d);
            float[] all = attend(kernels, arena, q, k, v, keys, keys, group, d, window);
            for (int m : COUNTS) {
              int end = m + random.nextInt(keys - m + 1);
              Span rows = q.slice((long) (end - m) * row, (long) m * row);
              float[] found = attend(kernels, arena, rows, k, v, m, end, group, d, window);
              float[] expected = Arrays.copyOfRange(all, (end - m) * row, end * row);
              assertThat(found)
                  .as(
                      "%d queries of %d keys, head size %d, group %d, window %d",
                      m, end, d, group, window)
                  .isEqualTo(expected);
            }
          }
        }
      }
    }
  }

  /** Queries at early positions have the bits of few, the others those of many. */
  @ParameterizedTest
  @MethodSource("kernels")
  void earlyPositionsHaveTheBitsOfFewQueries(Kernels kernels) {
    int early = 64;
    for (int d : new int[] {20, 64}) {
      for (int window : new int[] {AttentionShape.FULL, 40}) {
        try (NativeArena arena = new NativeArena("test")) {
          Random random = new Random(d);
          int row = 6 * d;
          Span q = random(arena, random, 300L * row);
          Span k = random(arena, random, 300L * 2 * d);
          Span v = random(arena, random, 300L * 2 * d);
          float[] expected = attend(kernels, arena, q, k, v, 300, 300, 3, d, window);
          for (int i = 0; i < early; i++) {
            Span one = q.slice((long) i * row, row);
            float[] few = attend(kernels, arena, one, k, v, 1, i + 1, 3, d, window);
            System.arraycopy(few, 0, expected, i * row, row);
          }
          for (int[] part :
              new int[][] {
                {0, 17}, {0, 43}, {0, 64}, {0, 65}, {47, 64}, {63, 80}, {64, 90}, {5, 300}
              }) {
            int queries = part[1] - part[0];
            AttentionShape s = new AttentionShape(1, queries, part[1], 6, 2, d, 0.3, window, early);
            Span rows = q.slice((long) part[0] * row, (long) queries * row);
            assertThat(attend(kernels, arena, rows, k, v, s))
                .as("queries %d to %d, head size %d, window %d", part[0], part[1], d, window)
                .isEqualTo(Arrays.copyOfRange(expected, part[0] * row, part[1] * row));
          }
        }
      }
    }
  }

  private static float[] attend(
      Kernels kernels,
      NativeArena arena,
      Span q,
      Span k,
      Span v,
      int queries,
      int keys,
      int group,
      int d,
      int window) {
    AttentionShape s = new AttentionShape(1, queries, keys, 2 * group, 2, d, 0.3, window);
    return attend(kernels, arena, q, k, v, s);
  }

  private static float[] attend(
      Kernels kernels, NativeArena arena, Span q, Span k, Span v, AttentionShape s) {
    Span out = arena.allocate(DType.F32, q.length()).span();
    Span lse = arena.allocate(DType.F32, s.rows()).span();
    kernels.attention(q, k.slice(0, s.keyElements()), v.slice(0, s.keyElements()), out, lse, s);
    return floats(out);
  }
}

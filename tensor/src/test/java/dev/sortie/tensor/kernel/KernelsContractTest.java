package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.suite.KernelCase;
import dev.sortie.tensor.suite.KernelCases;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every kernel set promises. The set under test next to the reference is the one that {@code
 * sortie.kernels} forces.
 */
class KernelsContractTest {
  private static final WorkerPool ONE = new WorkerPool(1);
  private static final WorkerPool TWO = new WorkerPool(2);
  private static final WorkerPool THREE = new WorkerPool(3);
  private static final WorkerPool FOUR = new WorkerPool(4);

  static Stream<Kernels> sets() {
    return Stream.of(new ScalarKernels(), KernelSets.choose(TWO));
  }

  static List<KernelCase> cases() {
    return KernelCases.all();
  }

  @AfterAll
  static void close() {
    ONE.close();
    TWO.close();
    THREE.close();
    FOUR.close();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithTheReferenceInDouble(KernelCase kernelCase) {
    sets().forEach(kernelCase::check);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesTheSameBitsOnAnyNumberOfThreads(KernelCase kernelCase) {
    double[][] alone = kernelCase.run(KernelSets.choose(ONE), false);
    for (WorkerPool pool : List.of(TWO, THREE, FOUR)) {
      assertThat(kernelCase.run(KernelSets.choose(pool), false)).isDeepEqualTo(alone);
    }
  }

  /**
   * Random floats, so that another order of the blocks would show in the last bits of the double.
   */
  @ParameterizedTest
  @MethodSource("sets")
  void sumsHaveTheSameBitsOnAnyNumberOfThreads(Kernels kernels) {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = arena.allocate(DType.F32, 200_001).span();
      SplittableRandom random = new SplittableRandom(1);
      for (int i = 0; i < x.length(); i++) {
        x.set(i, Math.exp(random.nextDouble(-20, 20)));
      }
      Kernels alone = KernelSets.choose(ONE);
      for (WorkerPool pool : List.of(TWO, THREE, FOUR)) {
        assertThat(KernelSets.choose(pool).sum(x)).isEqualTo(alone.sum(x));
        assertThat(KernelSets.choose(pool).sumSquares(x)).isEqualTo(alone.sumSquares(x));
      }
      assertThat(kernels.sum(x)).isCloseTo(alone.sum(x), withinPercentage(1e-10));
    }
  }

  /**
   * A row of a small batch sees the first keys only, or the last of those in a window; computed
   * alone with just the keys that it sees it must get the same bits.
   */
  @ParameterizedTest
  @MethodSource("sets")
  void attentionOfFewQueriesGivesEachRowTheBitsItGetsAlone(Kernels kernels) {
    for (int d : new int[] {8, 20, 32, 64, 80}) {
      for (int group : new int[] {1, 3, 4}) {
        for (DType cache : new DType[] {DType.F32, DType.BF16}) {
          for (int window : new int[] {AttentionShape.FULL, 1, 9, 45}) {
            rowsStable(kernels, d, group, cache, window);
          }
        }
      }
    }
  }

  /** Also tells zeros of either sign apart, which are equal. */
  private static Consumer<Double> bits(double expected) {
    return found ->
        assertThat(Double.doubleToRawLongBits(found))
            .isEqualTo(Double.doubleToRawLongBits(expected));
  }

  private static void rowsStable(Kernels kernels, int d, int group, DType cache, int window) {
    int keys = 53;
    int kvHeads = 2;
    int heads = kvHeads * group;
    int count = Kernels.ROW_STABLE;
    try (NativeArena arena = new NativeArena("test")) {
      Span q = random(arena, DType.F32, count * heads * d, 1);
      Span k = random(arena, cache, keys * kvHeads * d, 2);
      Span v = random(arena, cache, keys * kvHeads * d, 3);
      Span out = arena.allocate(DType.F32, (long) count * heads * d).span();
      Span lse = arena.allocate(DType.F32, (long) heads * count).span();
      Span row = arena.allocate(DType.F32, (long) heads * d).span();
      Span rowLse = arena.allocate(DType.F32, heads).span();
      kernels.attention(
          q, k, v, out, lse, new AttentionShape(1, count, keys, heads, kvHeads, d, 0.25, window));
      for (int i = 0; i < count; i++) {
        int end = keys - count + i + 1;
        int visible = Math.min(end, window);
        long from = (long) (end - visible) * kvHeads * d;
        long kv = (long) visible * kvHeads * d;
        kernels.attention(
            q.slice((long) i * heads * d, (long) heads * d),
            k.slice(from, kv),
            v.slice(from, kv),
            row,
            rowLse,
            new AttentionShape(1, 1, visible, heads, kvHeads, d, 0.25));
        for (int e = 0; e < heads * d; e++) {
          assertThat(out.get((long) i * heads * d + e))
              .as(
                  "%s, head size %d, group %d, %s, window %d, row %d, element %d",
                  kernels.name(), d, group, cache, window, i, e)
              .satisfies(bits(row.get(e)));
        }
        for (int h = 0; h < heads; h++) {
          assertThat(lse.get((long) h * count + i)).satisfies(bits(rowLse.get(h)));
        }
      }
    }
  }

  /** Where in memory keys and values lie must not show, however they are cut into runs. */
  @ParameterizedTest
  @MethodSource("sets")
  void attentionOverRunsHasTheBitsOfOneBlock(Kernels kernels) {
    Random random = new Random(4);
    for (int d : new int[] {8, 20, 32, 64}) {
      for (int group : new int[] {1, 3}) {
        for (DType cache : new DType[] {DType.F32, DType.BF16}) {
          for (int window : new int[] {AttentionShape.FULL, 1, 9, 45}) {
            for (int count : new int[] {1, 2, 5, Kernels.ROW_STABLE, Kernels.ROW_STABLE + 1}) {
              AttentionShape s = new AttentionShape(1, count, 71, 2 * group, 2, d, 0.25, window);
              runsLikeOneBlock(kernels, s, cache, random);
            }
          }
        }
      }
    }
  }

  private static void runsLikeOneBlock(
      Kernels kernels, AttentionShape s, DType cache, Random random) {
    int token = s.kvHeads() * s.headSize();
    int outs = s.queries() * s.heads() * s.headSize();
    try (NativeArena arena = new NativeArena("test")) {
      Span q = random(arena, DType.F32, outs, 1);
      Span k = random(arena, cache, s.keys() * token, 2);
      Span v = random(arena, cache, s.keys() * token, 3);
      Span out = arena.allocate(DType.F32, outs).span();
      Span lse = arena.allocate(DType.F32, (long) s.heads() * s.queries()).span();
      kernels.attention(q, k, v, out, lse, s);
      List<Span> keyRuns = new ArrayList<>();
      List<Span> valueRuns = new ArrayList<>();
      for (int at = 0; at < s.keys(); ) {
        int n = Math.min(s.keys() - at, random.nextInt(40));
        keyRuns.add(copy(kernels, arena, k.slice((long) at * token, (long) n * token)));
        valueRuns.add(copy(kernels, arena, v.slice((long) at * token, (long) n * token)));
        at += n;
      }
      Span found = arena.allocate(DType.F32, outs).span();
      Span foundLse = arena.allocate(DType.F32, lse.length()).span();
      kernels.attention(q, keyRuns, valueRuns, found, foundLse, s);
      for (long i = 0; i < outs; i++) {
        assertThat(found.get(i))
            .as("%s, %s, element %d", kernels.name(), s, i)
            .satisfies(bits(out.get(i)));
      }
      for (long i = 0; i < lse.length(); i++) {
        assertThat(foundLse.get(i)).satisfies(bits(lse.get(i)));
      }
      assertThatThrownBy(
              () ->
                  kernels.attention(q, keyRuns.subList(1, keyRuns.size()), valueRuns, out, lse, s))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  /** Whoever is computed along must not show. */
  @ParameterizedTest
  @MethodSource("sets")
  void attentionOfSeveralSequencesHasTheBitsOfEachAlone(Kernels kernels) {
    try (NativeArena arena = new NativeArena("test")) {
      List<AttentionCall.OverRuns> together = new ArrayList<>();
      List<AttentionCall.OverRuns> alone = new ArrayList<>();
      for (int keys : new int[] {1, 5, 70, 300}) {
        for (int queries : new int[] {1, 3}) {
          AttentionShape s = new AttentionShape(1, Math.min(queries, keys), keys, 6, 2, 32, 0.25);
          int outs = s.queries() * s.heads() * s.headSize();
          int token = s.kvHeads() * s.headSize();
          Span q = random(arena, DType.F32, outs, keys);
          List<Span> k = halves(random(arena, DType.F32, keys * token, 2), token);
          List<Span> v = halves(random(arena, DType.F32, keys * token, 3), token);
          for (List<AttentionCall.OverRuns> list : List.of(together, alone)) {
            Span out = arena.allocate(DType.F32, outs).span();
            Span lse = arena.allocate(DType.F32, (long) s.heads() * s.queries()).span();
            list.add(new AttentionCall.OverRuns(q, k, v, out, lse, s));
          }
        }
      }
      kernels.attention(together);
      for (int i = 0; i < alone.size(); i++) {
        AttentionCall.OverRuns p = alone.get(i);
        kernels.attention(p.q(), p.k(), p.v(), p.out(), p.lse(), p.shape());
        for (long e = 0; e < p.out().length(); e++) {
          assertThat(together.get(i).out().get(e)).satisfies(bits(p.out().get(e)));
        }
        for (long e = 0; e < p.lse().length(); e++) {
          assertThat(together.get(i).lse().get(e)).satisfies(bits(p.lse().get(e)));
        }
      }
      AttentionCall.OverRuns first = alone.getFirst();
      assertThatThrownBy(
              () ->
                  kernels.attention(
                      List.of(
                          first,
                          new AttentionCall.OverRuns(
                              first.q(),
                              first.k(),
                              List.of(),
                              first.out(),
                              first.lse(),
                              first.shape()))))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private static List<Span> halves(Span x, int token) {
    long tokens = x.length() / token;
    long first = tokens / 2 * token;
    return tokens == 1
        ? List.of(x)
        : List.of(x.slice(0, first), x.slice(first, x.length() - first));
  }

  private static Span copy(Kernels kernels, NativeArena arena, Span x) {
    Span y = arena.allocate(x.dtype(), x.length() + 1).span().slice(0, x.length());
    kernels.copy(x, y);
    return y;
  }

  /** Keys that a row may not see must not reach it, not even as {@code 0 * NaN}. */
  @ParameterizedTest
  @MethodSource("sets")
  void attentionIgnoresWhatComesAfterARow(Kernels kernels) {
    for (int queries : new int[] {6, 40}) {
      AttentionShape shape = new AttentionShape(1, queries, queries, 2, 1, 16, 0.25);
      try (NativeArena arena = new NativeArena("test")) {
        Span q = random(arena, DType.F32, queries * 32, 1);
        Span k = random(arena, DType.F32, queries * 16, 2);
        Span v = random(arena, DType.F32, queries * 16, 3);
        Span out = arena.allocate(DType.F32, queries * 32L).span();
        Span lse = arena.allocate(DType.F32, queries * 2L).span();
        k.set((queries - 1) * 16L, Double.NaN);
        v.set((queries - 1) * 16L, Double.NaN);
        kernels.attention(q, k, v, out, lse, shape);
        for (int e = 0; e < (queries - 1) * 32; e++) {
          assertThat(out.get(e)).isNotNaN();
        }
        assertThat(out.get((queries - 1) * 32L)).isNaN();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void attentionIgnoresWhatComesBeforeAWindow(Kernels kernels) {
    int window = 3;
    for (int queries : new int[] {6, 40, 150}) {
      AttentionShape shape = new AttentionShape(1, queries, queries, 2, 1, 16, 0.25, window);
      try (NativeArena arena = new NativeArena("test")) {
        Span q = random(arena, DType.F32, queries * 32, 1);
        Span k = random(arena, DType.F32, queries * 16, 2);
        Span v = random(arena, DType.F32, queries * 16, 3);
        Span out = arena.allocate(DType.F32, queries * 32L).span();
        Span lse = arena.allocate(DType.F32, queries * 2L).span();
        k.set(16, Double.NaN);
        v.set(16, Double.NaN);
        kernels.attention(q, k, v, out, lse, shape);
        for (int query = 0; query < queries; query++) {
          boolean sees = query >= 1 && query < 1 + window;
          assertThat(Double.isNaN(out.get(query * 32L))).as("query %d", query).isEqualTo(sees);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void softmaxAndLossesTakeMaskedAndLargeLogits(Kernels kernels) {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = arena.allocate(DType.F32, 20).span();
      Span y = arena.allocate(DType.F32, 20).span();
      Span lse = arena.allocate(DType.F32, 1).span();
      Span index = arena.allocate(DType.I32, 1).span();
      for (int i = 0; i < 20; i++) {
        x.set(i, i == 3 || i == 18 ? 3e38 : Double.NEGATIVE_INFINITY);
      }
      kernels.softmax(x, y, 1, 20);
      assertThat(y.get(3)).isEqualTo(0.5);
      assertThat(y.get(18)).isEqualTo(0.5);
      assertThat(y.get(0)).isEqualTo(0);
      kernels.argmax(x, index, lse, 1, 20);
      assertThat(index.getInt(0)).isEqualTo(3);
      assertThat(lse.get(0)).isEqualTo((double) 3e38f);
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void refusesWhatDoesNotFitNamingBothSizes(Kernels kernels) {
    try (NativeArena arena = new NativeArena("test")) {
      Span four = arena.allocate(DType.F32, 4).span();
      Span five = arena.allocate(DType.F32, 5).span();
      Span ids = arena.allocate(DType.I32, 2).span();
      ids.set(1, 2);
      assertThatThrownBy(() -> kernels.add(four, five, five))
          .hasMessageContaining("4")
          .hasMessageContaining("5");
      assertThatThrownBy(() -> kernels.softmax(four, five, 1, 5))
          .hasMessageContaining("4")
          .hasMessageContaining("5");
      assertThatThrownBy(() -> kernels.gatherRows(four, ids, four, 2, 2))
          .hasMessageContaining("ids[1] is 2");
      assertThatThrownBy(() -> kernels.crossEntropy(four, ids, five, five, 2, 2))
          .hasMessageContaining("targets[1] is 2");
      assertThatThrownBy(
              () -> kernels.copyStrided(four, new Strided(new long[] {3}, new long[] {2}), five))
          .hasMessageContaining("4");
      Span blocks = arena.allocate(DType.Q8_0, 32).span();
      assertThatThrownBy(
              () ->
                  kernels.copyStrided(blocks, new Strided(new long[] {8}, new long[] {2}), blocks))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("copyStrided of Q8_0");
      AttentionShape shape = new AttentionShape(1, 1, 1, 1, 1, 5, 1);
      assertThatThrownBy(() -> kernels.zeroToken(four, five, five, five, five, shape))
          .hasMessageContainingAll("zeroToken u", "4", "5");
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void refusesMemoryThatWasClosed(Kernels kernels) {
    NativeArena arena = new NativeArena("test");
    Span x = arena.allocate(DType.F32, 8).span();
    arena.close();
    assertThatThrownBy(() -> kernels.scale(2, x, x))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  private static Span random(NativeArena arena, DType dtype, int n, long seed) {
    double[] values =
        new KernelCase.Builder(seed, false)
            .add(dtype, n)
            .call("", 0, (k, s) -> {})
            .operands()
            .get(0)
            .values();
    Span span = arena.allocate(dtype, n).span();
    for (int i = 0; i < n; i++) {
      span.set(i, values[i]);
    }
    return span;
  }
}

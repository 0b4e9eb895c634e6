package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.dtype.DType.F32;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Products with weights in tiles have the same bits for every kernel set, number of threads and
 * number of rows, and are close to those with the weights as they are. The vector width is that of
 * the run, see {@link KernelSets#PROPERTY}.
 */
class TiledProductsContractTest {
  private static final List<WorkerPool> POOLS = Stream.of(1, 2, 3).map(WorkerPool::new).toList();

  private final TestSpans spans = new TestSpans(3);
  private final Random random = new Random(9);
  private final Kernels reference = new ScalarKernels();

  @AfterEach
  void free() {
    spans.close();
  }

  @AfterAll
  static void stop() {
    POOLS.forEach(WorkerPool::close);
  }

  /** Few rows, and more where they have the same arithmetic: both ways to share them out. */
  private static int[] counts(TileType type) {
    int[] few = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16};
    return type.anyRows()
        ? IntStream.concat(Arrays.stream(few), IntStream.of(17, 31, 70, 201)).toArray()
        : few;
  }

  private float[] product(Kernels kernels, Span x, Span w, Span bias, int m, int n, int k) {
    TiledWeight tiles = kernels.tile(w, n, k, spans.arena());
    Span y = spans.output((long) m * n);
    kernels.tiledLinears(x, List.of(new TiledProjection(tiles, bias, y)), m, k);
    TestSpans.assertSentinels(y, "product of " + m + " rows");
    return TestSpans.floats(y);
  }

  @ParameterizedTest
  @EnumSource
  void bitsAreThoseOfTheReference(TileType type) {
    for (int[] size : new int[][] {{1, 256}, {31, 256}, {33, 512}, {64, 768}, {131, 256}}) {
      int n = size[0];
      int k = size[1];
      Span w = spans.blocks(type.dtype(), (long) n * k, random);
      Span bias = n % 2 == 0 ? null : spans.gaussians(F32, n);
      for (int m : counts(type)) {
        Span x = spans.gaussians(F32, (long) m * k);
        float[] expected = product(reference, x, w, bias, m, n, k);
        for (WorkerPool pool : POOLS) {
          assertThat(product(KernelSets.choose(pool), x, w, bias, m, n, k))
              .as("%d rows, [%d, %d], %d threads", m, n, k, pool.threads())
              .isEqualTo(expected);
        }
      }
    }
  }

  /** Where few rows are expected, they are taken one by one until many come. */
  @ParameterizedTest
  @EnumSource
  void whatIsExpectedChangesNoBit(TileType type) {
    int n = 131;
    int k = 512;
    Span w = spans.blocks(type.dtype(), (long) n * k, random);
    for (WorkerPool pool : POOLS) {
      Kernels expects = KernelSets.choose(pool);
      expects.expectRows(40);
      for (int m : counts(type)) {
        Span x = spans.gaussians(F32, (long) m * k);
        assertThat(product(expects, x, w, null, m, n, k))
            .as("%d rows, %d threads", m, pool.threads())
            .isEqualTo(product(KernelSets.choose(pool), x, w, null, m, n, k));
      }
    }
  }

  /** How many tiles a kernel reads at a time depends on their number. */
  @ParameterizedTest
  @EnumSource
  void anyNumberOfTilesGivesTheReferencesBits(TileType type) {
    anyNumberOfTiles(type, 256, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 63, 66);
  }

  /** Larger tiles are read ahead, some at a time. */
  @ParameterizedTest
  @EnumSource
  void anyNumberOfLargeTilesGivesTheReferencesBits(TileType type) {
    anyNumberOfTiles(type, 768, 1, 4, 12, 13, 27, 35);
    anyNumberOfTiles(type, 2048, 5, 9);
  }

  private void anyNumberOfTiles(TileType type, int k, int... numbers) {
    for (int tiles : numbers) {
      int n = tiles * 32 - tiles % 2;
      Span w = spans.blocks(type.dtype(), (long) n * k, random);
      for (int m : new int[] {1, 3}) {
        Span x = spans.gaussians(F32, (long) m * k);
        float[] expected = product(reference, x, w, null, m, n, k);
        assertThat(product(KernelSets.choose(POOLS.getFirst()), x, w, null, m, n, k))
            .as("%d rows, %d tiles, k = %d", m, tiles, k)
            .isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void severalWeightsAtOnceGiveWhatEachGives(TileType type) {
    int k = 512;
    int m = 3;
    Kernels kernels = KernelSets.choose(POOLS.getLast());
    Span x = spans.gaussians(F32, (long) m * k);
    int[] outputs = {40, 7, 300};
    TileType[] types = {type, TileType.Q6_K, TileType.Q5_0};
    List<TiledProjection> together =
        Stream.of(0, 1, 2)
            .map(
                i ->
                    new TiledProjection(
                        kernels.tile(
                            spans.blocks(types[i].dtype(), (long) outputs[i] * k, random),
                            outputs[i],
                            k,
                            spans.arena()),
                        null,
                        spans.output((long) m * outputs[i])))
            .toList();
    kernels.tiledLinears(x, together, m, k);
    for (TiledProjection p : together) {
      Span alone = spans.output((long) m * p.w().n());
      kernels.tiledLinears(x, List.of(new TiledProjection(p.w(), null, alone)), m, k);
      assertThat(TestSpans.floats(p.y())).isEqualTo(TestSpans.floats(alone));
    }
  }

  /** Types that have tiles for few rows only. */
  static Stream<TileType> fewRows() {
    return Arrays.stream(TileType.values()).filter(type -> !type.anyRows());
  }

  @ParameterizedTest
  @MethodSource("fewRows")
  void manyRowsHaveTheBitsOfTheWeightAsItWas(TileType type) {
    for (int[] size : new int[][] {{1, 256}, {33, 1280}, {70, 256}, {131, 768}}) {
      int n = size[0];
      int k = size[1];
      Span w = spans.blocks(type.dtype(), (long) n * k, random);
      Span bias = n % 2 == 0 ? null : spans.gaussians(F32, n);
      for (int m : new int[] {17, 40}) {
        Span x = spans.gaussians(F32, (long) m * k);
        for (Kernels kernels : List.of(reference, KernelSets.choose(POOLS.getLast()))) {
          Span expected = spans.output((long) m * n);
          kernels.linear(x, w, bias, expected, m, n, k);
          assertThat(product(kernels, x, w, bias, m, n, k))
              .as("%d rows, [%d, %d], %s", m, n, k, kernels.name())
              .isEqualTo(TestSpans.floats(expected));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void rowsAreIndependent(TileType type) {
    int n = 70;
    int k = 256;
    Kernels kernels = KernelSets.choose(POOLS.get(1));
    Span w = spans.blocks(type.dtype(), (long) n * k, random);
    int rows = type.anyRows() ? 100 : 16;
    Span x = spans.gaussians(F32, (long) rows * k);
    float[] all = product(kernels, x, w, null, rows, n, k);
    for (int i = 0; i < rows; i++) {
      float[] alone = product(kernels, x.slice((long) i * k, k), w, null, 1, n, k);
      for (int j = 0; j < n; j++) {
        assertThat(Float.floatToRawIntBits(all[i * n + j]))
            .as("bits of row %d, output %d", i, j)
            .isEqualTo(Float.floatToRawIntBits(alone[j]));
      }
    }
  }

  /**
   * The relative error of a product of random numbers: with x rounded to 2^-8 of its mean at worst,
   * half a step over the square root of 12 each, it is some 2e-3 for 4-bit levels and 4e-3 for the
   * others.
   */
  @ParameterizedTest
  @EnumSource
  void resultsAreCloseToExactOnes(TileType type) {
    int n = 96;
    int k = 768;
    Kernels kernels = KernelSets.choose(POOLS.getFirst());
    Span w = spans.blocks(type.dtype(), (long) n * k, random);
    Span x = spans.gaussians(F32, k);
    Span exact = spans.allocate(F32, n);
    reference.linear(x, w, null, exact, 1, n, k);
    float[] tiled = product(kernels, x, w, null, 1, n, k);
    double error = 0;
    double norm = 0;
    for (int j = 0; j < n; j++) {
      error += Math.pow(tiled[j] - exact.get(j), 2);
      norm += Math.pow(exact.get(j), 2);
    }
    assertThat(Math.sqrt(error / norm)).isLessThan(6e-3);
  }

  /** Integers that x is not rounded at: a group whose absolute values sum up to the bound. */
  @ParameterizedTest
  @EnumSource
  void sumsOfIntegersAreExact(TileType type) {
    int k = 256;
    int group = type.form().group();
    Span x = spans.allocate(F32, k);
    for (int g = 0; g < k; g += group) {
      int left = type.form().bound();
      for (int i = 0; i < group; i++) {
        int value = i < group - 1 ? Math.min(left, random.nextInt(2 * left / group + 1)) : left;
        left -= value;
        x.set(g + i, random.nextBoolean() ? value : -value);
      }
    }
    int n = 40;
    Span w = spans.blocks(type.dtype(), (long) n * k, random);
    MemorySegment s = w.segment();
    for (long at = 0; at < s.byteSize(); at += type.dtype().blockBytes()) {
      for (int scale : Blocks.scales(type.dtype())) {
        s.set(JAVA_SHORT_UNALIGNED, at + scale, Float.floatToFloat16(0x1p-14f));
      }
    }
    Span exact = spans.allocate(F32, n);
    reference.linear(x, w, null, exact, 1, n, k);
    for (WorkerPool pool : POOLS) {
      assertThat(product(KernelSets.choose(pool), x, w, null, 1, n, k))
          .isEqualTo(TestSpans.floats(exact));
    }
  }

  @ParameterizedTest
  @EnumSource
  void notFiniteInputsGiveNotFiniteResults(TileType type) {
    int n = 33;
    int k = 256;
    Span w = spans.blocks(type.dtype(), (long) n * k, random);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      Span x = spans.gaussians(F32, k);
      x.set(37, bad);
      for (Kernels kernels : List.of(reference, KernelSets.choose(POOLS.getFirst()))) {
        for (float y : product(kernels, x, w, null, 1, n, k)) {
          assertThat(Float.isFinite(y)).as("%s with %s", y, bad).isFalse();
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void zerosAndTinyNumbersGiveZeros(TileType type) {
    int n = 33;
    int k = 256;
    Span w = spans.blocks(type.dtype(), (long) n * k, random);
    Span x = spans.allocate(F32, k);
    for (double value : new double[] {0, Float.MIN_VALUE, -0x1p-110}) {
      for (int i = 0; i < k; i++) {
        x.set(i, value);
      }
      for (Kernels kernels : List.of(reference, KernelSets.choose(POOLS.getFirst()))) {
        for (float y : product(kernels, x, w, null, 1, n, k)) {
          assertThat(y == 0).as("%s of %s", y, value).isTrue();
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aWeightWithoutInputsGivesZeros(TileType type) {
    Kernels kernels = KernelSets.choose(POOLS.getFirst());
    Span w = spans.allocate(type.dtype(), 0);
    assertThat(product(kernels, spans.allocate(F32, 0), w, null, 1, 70, 0)).containsOnly(0f);
  }

  @Test
  void aScaleThatIsNotFiniteIsRefused() {
    Span w = spans.blocks(DType.Q4_1, 64, random);
    w.segment().set(JAVA_SHORT_UNALIGNED, 22, (short) 0x7e00);
    assertThatThrownBy(() -> reference.tile(w, 1, 64, spans.arena()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("scale NaN");
  }

  @Test
  void foreignTilesAndOtherTypesAreRefused() {
    Span w = spans.blocks(DType.Q4_0, 64, random);
    Kernels kernels = KernelSets.choose(POOLS.getFirst());
    TiledWeight tiles = kernels.tile(w, 1, 64, spans.arena());
    Span x = spans.gaussians(F32, 17 * 64);
    Span y = spans.allocate(F32, 17);
    List<TiledProjection> one = List.of(new TiledProjection(tiles, null, y));
    assertThatThrownBy(() -> kernels.tiledLinears(x, one, 1, 32)).hasMessageContaining("inputs");
    assertThatThrownBy(() -> kernels.tile(spans.gaussians(F32, 64), 1, 64, spans.arena()))
        .hasMessageContaining("F32");
  }
}

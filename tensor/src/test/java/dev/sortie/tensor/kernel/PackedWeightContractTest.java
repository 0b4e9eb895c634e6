package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.kernel.TestSpans.assertSentinels;
import static dev.sortie.tensor.kernel.TestSpans.floats;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What products promise at every tail, number of threads and packed or not, for each set. */
class PackedWeightContractTest {
  private static final List<WorkerPool> POOLS =
      IntStream.rangeClosed(1, 4).mapToObj(WorkerPool::new).toList();

  private final TestSpans spans = new TestSpans(20251125);
  private final Kernels scalar = new ScalarKernels();

  static Stream<Kernels> kernels() {
    return Stream.concat(Stream.of(new ScalarKernels()), POOLS.stream().map(KernelSets::choose));
  }

  @AfterEach
  void free() {
    spans.close();
  }

  @AfterAll
  static void stop() {
    POOLS.forEach(WorkerPool::close);
  }

  private static void assertSame(Span expected, Span actual, String what) {
    assertThat(floats(actual)).as(what).isEqualTo(floats(expected));
    assertSentinels(actual, what);
  }

  /** Sizes on both sides of 0 to 3 vectors of any width, and of the rows of a tile. */
  static int[] tails() {
    return new int[] {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49};
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void productsOfIntegersEqualTheScalarOnesAtEveryTail(Kernels kernels) {
    for (int m : new int[] {1, 6, 13, 17, 22, 24, 48, 50}) {
      for (int n : tails()) {
        for (int k : new int[] {1, 15, 16, 33, 48, 50}) {
          checkProducts(kernels, DType.F32, m, n, k);
        }
      }
    }
    for (DType type : List.of(DType.BF16, DType.F16)) {
      for (int[] s : new int[][] {{17, 33, 49}, {40, 70, 520}, {300, 33, 20}, {3, 130, 1030}}) {
        checkProducts(kernels, type, s[0], s[1], s[2]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void productsOfIntegersEqualTheScalarOnesOverSeveralBlocks(Kernels kernels) {
    for (int[] s :
        new int[][] {
          {1030, 10, 20}, {270, 140, 30}, {20, 300, 520}, {70, 40, 1100}, {9, 9, 4200}
        }) {
      checkProducts(kernels, DType.F32, s[0], s[1], s[2]);
    }
  }

  private void checkProducts(Kernels kernels, DType type, int m, int n, int k) {
    String what = "%s m %d n %d k %d w %s".formatted(kernels.name(), m, n, k, type);
    Span x = spans.integers(DType.F32, (long) m * k);
    Span w = spans.integers(type, (long) n * k);
    Span bias = spans.integers(DType.F32, n);
    Span expected = spans.output((long) m * n);
    PackedWeight packed = kernels.pack(w, n, k, spans.arena());
    for (Span b : new Span[] {null, bias}) {
      scalar.linear(x, w, b, expected, m, n, k);
      Span plain = spans.output((long) m * n);
      kernels.linear(x, w, b, plain, m, n, k);
      assertSame(expected, plain, what);
      Span y = spans.output((long) m * n);
      kernels.linear(x, packed, b, y, m);
      assertSame(expected, y, what + " packed");
    }
    for (int mode = 0; mode < 4; mode++) {
      boolean transA = (mode & 1) != 0;
      boolean transB = (mode & 2) != 0;
      Span c = spans.output((long) m * n);
      scalar.gemm(transA, transB, m, n, k, x, w, expected, false);
      kernels.gemm(transA, transB, m, n, k, x, w, c, false);
      assertSame(expected, c, what + " mode " + mode);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aPackedWeightGivesTheBitsOfTheUnpackedProductForAnyNumberOfRows(Kernels kernels) {
    for (int[] s : new int[][] {{65, 192}, {40, 768}, {300, 577}, {33, 1100}, {7, 1280}}) {
      for (DType type : List.of(DType.F32, DType.BF16, DType.F16)) {
        int n = s[0];
        int k = s[1];
        int most = 70;
        Span x = spans.gaussians(DType.F32, (long) most * k);
        Span w = spans.gaussians(type, (long) n * k);
        Span bias = spans.gaussians(DType.F32, n);
        PackedWeight packed = kernels.pack(w, n, k, spans.arena());
        Span all = spans.output((long) most * n);
        kernels.linear(x, w, bias, all, most, n, k);
        for (int m : new int[] {1, 5, Kernels.ROW_STABLE, 17, 33, most}) {
          Span y = spans.output((long) m * n);
          kernels.linear(x, packed, bias, y, m);
          assertSame(all.slice(0, (long) m * n), y, "%s m %d k %d".formatted(type, m, k));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aPackedWeightWithoutInputsGivesTheBias(Kernels kernels) {
    Span none = spans.allocate(DType.F32, 1).slice(0, 0);
    Span bias = spans.integers(DType.F32, 5);
    Span y = spans.output(100);
    kernels.linear(none, kernels.pack(none, 5, 0, spans.arena()), bias, y, 20);
    for (int i = 0; i < 100; i++) {
      assertThat(y.get(i)).isEqualTo(bias.get(i % 5));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aWeightOfAnotherSetAndShortSpansAreRefused(Kernels kernels) {
    Span w = spans.integers(DType.F32, 12);
    PackedWeight packed = kernels.pack(w, 4, 3, spans.arena());
    PackedWeight foreign = new PackedWeight("panels5", packed.values(), 4, 3);
    Span x = spans.integers(DType.F32, 6);
    Span y = spans.output(8);
    assertThatThrownBy(() -> kernels.linear(x, foreign, null, y, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("panels5")
        .hasMessageContaining(packed.layout());
    assertThatThrownBy(() -> kernels.linear(x, packed, null, y.slice(0, 7), 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("7")
        .hasMessageContaining("8");
    assertThatThrownBy(() -> kernels.pack(w, 5, 3, spans.arena()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("12")
        .hasMessageContaining("15");
    assertThatThrownBy(() -> kernels.pack(w, -1, 3, spans.arena()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
  }
}

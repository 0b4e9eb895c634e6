package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.kernel.TestSpans.floats;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Weights of 16 bits in {@link Kernels#linear}: each pattern counts for what it is, for each kernel
 * set.
 */
class HalfWeightsContractTest {
  private static final WorkerPool ONE = new WorkerPool(1);
  private static final WorkerPool TWO = new WorkerPool(2);
  private static final WorkerPool THREE = new WorkerPool(3);

  private final TestSpans spans = new TestSpans(20240607);

  static Stream<Kernels> kernels() {
    return Stream.of(
        new ScalarKernels(),
        KernelSets.choose(ONE),
        KernelSets.choose(TWO),
        KernelSets.choose(THREE));
  }

  @AfterEach
  void free() {
    spans.close();
  }

  @AfterAll
  static void stop() {
    ONE.close();
    TWO.close();
    THREE.close();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyPatternOf16BitsIsWidenedExactly(Kernels kernels) {
    int count = 1 << 16;
    for (DType type : List.of(DType.BF16, DType.F16)) {
      Span w = spans.allocate(type, count);
      Span one = spans.allocate(DType.F32, 20);
      for (int i = 0; i < count; i++) {
        w.segment().set(JAVA_SHORT_UNALIGNED, 2L * i, (short) i);
      }
      for (int i = 0; i < 20; i++) {
        one.set(i, 1);
      }
      for (int m : new int[] {1, 2, 20}) {
        Span y = spans.output((long) m * count);
        kernels.linear(one, w, null, y, m, count, 1);
        float[] expected = floats(w);
        for (int i = 0; i < count; i++) {
          expected[i] += 0f; // -0 becomes 0, as in a sum
        }
        assertThat(floats(y.slice((long) (m - 1) * count, count)))
            .as("%s, m %d", type, m)
            .isEqualTo(expected);
      }
    }
  }

  /**
   * Rows of the unit matrix pick single weights out of full vectors; only finite ones, since 0
   * times infinity is NaN.
   */
  @ParameterizedTest
  @MethodSource("kernels")
  void everyFiniteWeightOf16BitsComesThroughFullVectors(Kernels kernels) {
    int k = 64;
    int n = (1 << 16) / k;
    Span unit = spans.allocate(DType.F32, (long) k * k);
    for (int i = 0; i < k; i++) {
      unit.set((long) i * k + i, 1);
    }
    for (DType type : List.of(DType.BF16, DType.F16)) {
      Span w = spans.allocate(type, (long) n * k);
      for (int i = 0; i < n * k; i++) {
        w.segment().set(JAVA_SHORT_UNALIGNED, 2L * i, (short) i);
        if (!Double.isFinite(w.get(i))) {
          w.set(i, 1);
        }
      }
      for (int m : new int[] {1, 16, 64}) {
        for (int first = 0; first < k; first += m) {
          Span y = spans.output((long) m * n);
          kernels.linear(unit.slice((long) first * k, (long) m * k), w, null, y, m, n, k);
          float[] expected = new float[m * n];
          for (int i = 0; i < m * n; i++) {
            expected[i] = (float) w.get((long) (i % n) * k + first + i / n) + 0f;
          }
          assertThat(floats(y)).as("%s, m %d, row %d", type, m, first).isEqualTo(expected);
        }
      }
    }
  }

  /** A weight that is no number makes the whole product none, wherever in a vector it is. */
  @ParameterizedTest
  @MethodSource("kernels")
  void everyWeightOf16BitsThatIsNoNumberReachesTheSum(Kernels kernels) {
    int k = 64;
    for (DType type : List.of(DType.BF16, DType.F16)) {
      short[] special = special(type);
      int n = special.length;
      Span w = spans.allocate(type, (long) n * k);
      for (int j = 0; j < n; j++) {
        for (int i = 0; i < k; i++) {
          w.set((long) j * k + i, 1);
        }
        w.segment().set(JAVA_SHORT_UNALIGNED, 2L * (j * k + j % k), special[j]);
      }
      for (int m : new int[] {1, 2, 3, 4, 16, 64}) {
        Span x = spans.allocate(DType.F32, (long) m * k);
        for (int i = 0; i < m * k; i++) {
          x.set(i, 1);
        }
        Span y = spans.output((long) m * n);
        Span expected = spans.output((long) m * n);
        kernels.linear(x, w, null, y, m, n, k);
        new ScalarKernels().linear(x, w, null, expected, m, n, k);
        assertThat(floats(y)).as("%s, m %d", type, m).isEqualTo(floats(expected));
      }
    }
  }

  /** All patterns of infinities and NaN. */
  private static short[] special(DType type) {
    int first = type == DType.F16 ? 0x7c00 : 0x7f80;
    int each = 0x8000 - first;
    short[] all = new short[2 * each];
    for (int i = 0; i < each; i++) {
      all[i] = (short) (first + i);
      all[each + i] = (short) (0x8000 + first + i);
    }
    return all;
  }
}

package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@link Kernels#linear} of few rows with weights read in place: every tail of k, every number of
 * rows up to one past {@link Kernels#ROW_STABLE}, both sides of the blocks of weight rows, one to
 * four threads.
 */
class FewRowsContractTest {
  private static final List<WorkerPool> POOLS =
      IntStream.rangeClosed(1, 4).mapToObj(WorkerPool::new).toList();
  private static final List<DType> TYPES = List.of(DType.F32, DType.BF16, DType.F16);
  private static final int MOST_ROWS = Kernels.ROW_STABLE + 1;

  /** Three vectors of 512 bits, and one element. */
  private static final int TAILS = 3 * 16 + 1;

  private final NativeArena arena = new NativeArena("few rows test");
  private final Random random = new Random(20251125);

  static Stream<Kernels> kernels() {
    return POOLS.stream().map(KernelSets::choose);
  }

  @AfterEach
  void free() {
    arena.close();
  }

  @AfterAll
  static void stop() {
    POOLS.forEach(WorkerPool::close);
  }

  private Span span(DType type, int length, DoubleSupplier value) {
    Span span = arena.allocate(type, length).span();
    for (int i = 0; i < length; i++) {
      span.set(i, value.getAsDouble());
    }
    return span;
  }

  private double integer() {
    return random.nextInt(17) - 8;
  }

  private static float[] floats(Span span, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) span.get(i);
    }
    return values;
  }

  /** In float, which is exact for small integers. */
  private static float[] product(float[] x, float[] w, int m, int n, int k) {
    float[] y = new float[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum += x[i * k + p] * w[j * k + p];
        }
        y[i * n + j] = sum;
      }
    }
    return y;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void integersAreExactForEveryTailAndNumberOfRows(Kernels kernels) {
    Span x = span(DType.F32, MOST_ROWS * TAILS, this::integer);
    float[] xs = floats(x, MOST_ROWS * TAILS);
    Span y = arena.allocate(DType.F32, MOST_ROWS * 9L).span();
    for (DType type : TYPES) {
      Span w = span(type, 9 * TAILS, this::integer);
      float[] ws = floats(w, 9 * TAILS);
      for (int k = 0; k <= TAILS; k++) {
        for (int m = 1; m <= MOST_ROWS; m++) {
          for (int n = 1; n <= 9; n++) {
            kernels.linear(x, w, null, y, m, n, k);
            assertThat(floats(y, m * n))
                .as("m %d n %d k %d w %s", m, n, k, type)
                .isEqualTo(product(xs, ws, m, n, k));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void integersAreExactOnBothSidesOfABlockOfWeightRows(Kernels kernels) {
    for (int k : new int[] {16, 65, 577}) {
      Span x = span(DType.F32, 16 * k, this::integer);
      float[] xs = floats(x, 16 * k);
      for (DType type : TYPES) {
        Span w = span(type, 514 * k, this::integer);
        float[] ws = floats(w, 514 * k);
        float[] all = product(xs, ws, 16, 514, k);
        for (int n : new int[] {31, 33, 170, 255, 256, 257, 340, 511, 514}) {
          for (int m : new int[] {1, 2, 3, 4, 5, 7, 16}) {
            Span y = arena.allocate(DType.F32, (long) m * n).span();
            kernels.linear(x, w, null, y, m, n, k);
            float[] expected = new float[m * n];
            for (int i = 0; i < m; i++) {
              System.arraycopy(all, i * 514, expected, i * n, n);
            }
            assertThat(floats(y, m * n))
                .as("m %d n %d k %d w %s", m, n, k, type)
                .isEqualTo(expected);
          }
        }
      }
    }
  }

  /** Rows of many blocks, whose size depends on m and k, as the order of passes does. */
  @ParameterizedTest
  @MethodSource("kernels")
  void aRowHasTheSameBitsAloneAndInEveryBatch(Kernels kernels) {
    for (int[] s : new int[][] {{530, 48}, {300, 577}, {270, 1111}, {150, 1537}}) {
      int n = s[0];
      int k = s[1];
      Span x = span(DType.F32, Kernels.ROW_STABLE * k, random::nextGaussian);
      for (DType type : TYPES) {
        Span w = span(type, n * k, random::nextGaussian);
        Span y = arena.allocate(DType.F32, (long) Kernels.ROW_STABLE * n).span();
        float[] alone = new float[Kernels.ROW_STABLE * n];
        for (int i = 0; i < Kernels.ROW_STABLE; i++) {
          kernels.linear(x.slice((long) i * k, k), w, null, y, 1, n, k);
          System.arraycopy(floats(y, n), 0, alone, i * n, n);
        }
        for (int m = 2; m <= Kernels.ROW_STABLE; m++) {
          kernels.linear(x, w, null, y, m, n, k);
          float[] expected = new float[m * n];
          System.arraycopy(alone, 0, expected, 0, m * n);
          assertThat(floats(y, m * n)).as("m %d n %d k %d w %s", m, n, k, type).isEqualTo(expected);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void weightsOf16BitsGiveTheBitsOfTheSameWeightsInF32(Kernels kernels) {
    int n = 70;
    for (int k : new int[] {48, 577}) {
      Span x = span(DType.F32, 16 * k, random::nextGaussian);
      for (DType type : List.of(DType.BF16, DType.F16)) {
        Span w = span(type, n * k, random::nextGaussian);
        Span wide = arena.allocate(DType.F32, (long) n * k).span();
        kernels.copy(w, wide);
        for (int m : new int[] {1, 2, 3, 4, 16}) {
          Span y = arena.allocate(DType.F32, (long) m * n).span();
          Span expected = arena.allocate(DType.F32, (long) m * n).span();
          kernels.linear(x, w, null, y, m, n, k);
          kernels.linear(x, wide, null, expected, m, n, k);
          assertThat(floats(y, m * n))
              .as("m %d k %d w %s", m, k, type)
              .isEqualTo(floats(expected, m * n));
        }
      }
    }
  }
}

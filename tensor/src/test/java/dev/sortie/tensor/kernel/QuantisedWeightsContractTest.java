package dev.sortie.tensor.kernel;

import static dev.sortie.tensor.dtype.DType.F32;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Products with weights in quantised blocks, and their decoding, have the bits that {@link Blocks}
 * and F32 weights give. The vector width is that of the run, see {@link KernelSets#PROPERTY}.
 */
class QuantisedWeightsContractTest {
  private static final List<WorkerPool> POOLS = Stream.of(1, 2, 3, 4).map(WorkerPool::new).toList();

  private final NativeArena arena = new NativeArena("quantised weights test");
  private final Random random = new Random(5);

  static List<DType> types() {
    return Stream.of(DType.values()).filter(DType::isQuantised).toList();
  }

  @AfterEach
  void free() {
    arena.close();
  }

  @AfterAll
  static void stop() {
    POOLS.forEach(WorkerPool::close);
  }

  /** Random blocks; their F16 scales are taken from {@code scales} in turn. */
  private Span blocks(DType type, long length, float... scales) {
    Span span = arena.allocate(type, length).span();
    MemorySegment s = span.segment();
    byte[] bytes = new byte[(int) s.byteSize()];
    random.nextBytes(bytes);
    s.copyFrom(MemorySegment.ofArray(bytes));
    int next = 0;
    for (long at = 0; at < s.byteSize(); at += type.blockBytes()) {
      for (int scale : Blocks.scales(type)) {
        float value = scales[next++ % scales.length];
        s.set(JAVA_SHORT_UNALIGNED, at + scale, Float.floatToFloat16(value));
      }
    }
    return span;
  }

  private Span gaussianBlocks(DType type, long length) {
    float[] scales = new float[101];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (float) (random.nextGaussian() * 0.02);
    }
    return blocks(type, length, scales);
  }

  private Span decoded(Span blocks) {
    Span floats = arena.allocate(F32, blocks.length()).span();
    float[] block = new float[blocks.dtype().block()];
    for (int i = 0; i < blocks.length(); i++) {
      if (i % block.length == 0) {
        Blocks.decode(blocks.dtype(), blocks.segment(), blocks.dtype().bytes(i), block, 0);
      }
      floats.set(i, block[i % block.length]);
    }
    return floats;
  }

  private Span gaussians(long length) {
    Span span = arena.allocate(F32, length).span();
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextGaussian());
    }
    return span;
  }

  private Span integers(long length) {
    Span span = arena.allocate(F32, length).span();
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextInt(9) - 4);
    }
    return span;
  }

  private static int[] bits(Span span) {
    int[] bits = new int[(int) span.length()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits((float) span.get(i));
    }
    return bits;
  }

  @ParameterizedTest
  @MethodSource("types")
  void decodingHasTheBitsOfTheReference(DType type) {
    float[] scales = {0.01f, -0.3f, 0x1p-24f, 0f, -0f, 65504f, -0x1p-15f, 1f, 0.7f};
    int length = 36 * type.block();
    Span blocks = blocks(type, length, scales);
    int[] expected = bits(decoded(blocks));
    for (WorkerPool pool : POOLS) {
      Kernels kernels = KernelSets.choose(pool);
      Span y = arena.allocate(F32, length).span();
      kernels.copy(blocks, y);
      assertThat(bits(y)).as("copy").isEqualTo(expected);
      Span ids = arena.allocate(DType.I32, 5).span();
      int cols = 3 * type.block();
      for (int i = 0; i < 5; i++) {
        ids.set(i, i * 7 % 12);
      }
      Span rows = arena.allocate(F32, 5L * cols).span();
      kernels.gatherRows(blocks, ids, rows, 5, cols);
      for (int i = 0; i < 5; i++) {
        long from = (long) ids.getInt(i) * cols;
        assertThat(bits(rows.slice((long) i * cols, cols)))
            .as("row %d", i)
            .isEqualTo(bits(y.slice(from, cols)));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void linearHasTheBitsOfDecodedWeights(DType type) {
    List<int[]> shapes = new ArrayList<>();
    for (int n = 1; n <= 9; n++) {
      shapes.add(new int[] {n, type.block()});
    }
    for (int blocks = 2; blocks <= 7; blocks++) {
      shapes.add(new int[] {31 + blocks % 3, blocks * type.block()});
    }
    shapes.add(new int[] {300, 2048});
    for (int[] s : shapes) {
      int n = s[0];
      int k = s[1];
      Span w = gaussianBlocks(type, (long) n * k);
      Span floats = decoded(w);
      Span bias = gaussians(n);
      Span x = gaussians(17L * k);
      for (int m = 1; m <= 17; m++) {
        Span rows = x.slice(0, (long) m * k);
        Span expected = arena.allocate(F32, (long) m * n).span();
        KernelSets.choose(POOLS.getFirst()).linear(rows, floats, bias, expected, m, n, k);
        WorkerPool pool = POOLS.get((m + n) % POOLS.size());
        Span y = arena.allocate(F32, (long) m * n).span();
        KernelSets.choose(pool).linear(rows, w, bias, y, m, n, k);
        assertThat(bits(y))
            .as("m %d n %d k %d, %d threads", m, n, k, pool.threads())
            .isEqualTo(bits(expected));
      }
    }
  }

  /** Blocks of K are cut where F32 has them, be it inside a quantised block. */
  @ParameterizedTest
  @MethodSource("types")
  void gemmHasTheBitsOfDecodedWeights(DType type) {
    int side = 768;
    for (int[] s : new int[][] {{20, 256, side}, {33, side, 256}, {3, 256, 256}}) {
      Span a = gaussians((long) s[0] * s[2]);
      Span b = gaussianBlocks(type, (long) s[1] * s[2]);
      Span floats = decoded(b);
      for (WorkerPool pool : POOLS) {
        Kernels kernels = KernelSets.choose(pool);
        for (boolean transB : new boolean[] {false, true}) {
          Span c = gaussians((long) s[0] * s[1]);
          Span expected = arena.allocate(F32, c.length()).span();
          kernels.copy(c, expected);
          kernels.gemm(false, transB, s[0], s[1], s[2], a, floats, expected, true);
          kernels.gemm(false, transB, s[0], s[1], s[2], a, b, c, true);
          assertThat(bits(c))
              .as("%s, transB %b, %d threads", List.of(s[0], s[1], s[2]), transB, pool.threads())
              .isEqualTo(bits(expected));
        }
      }
    }
  }

  /** With scales of 1 all weights are integers, so every order of summation gives the same bits. */
  @ParameterizedTest
  @MethodSource("types")
  void linearOfIntegersIsExact(DType type) {
    int n = 37;
    int k = 3 * type.block();
    Span w = blocks(type, (long) n * k, 1);
    for (int m : new int[] {1, 2, 3, 4, 5, 8, 16, 40}) {
      Span x = integers((long) m * k);
      Span y = arena.allocate(F32, (long) m * n).span();
      Span expected = arena.allocate(F32, (long) m * n).span();
      new ScalarKernels().linear(x, w, null, expected, m, n, k);
      KernelSets.choose(POOLS.get(1)).linear(x, w, null, y, m, n, k);
      assertThat(bits(y)).as("m %d", m).isEqualTo(bits(expected));
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void rowsThatCutABlockAreRefused(DType type) {
    int k = type.block() / 2;
    Span w = gaussianBlocks(type, 4L * k);
    Span x = gaussians(4L * k);
    Span y = gaussians(16);
    Span ids = arena.allocate(DType.I32, 1).span();
    for (Kernels kernels : List.of(new ScalarKernels(), KernelSets.choose(POOLS.getFirst()))) {
      String blocks = "in blocks of " + type.block();
      assertThatThrownBy(() -> kernels.linear(x, w, null, y, 1, 4, k))
          .hasMessageContaining(blocks)
          .hasMessageContaining("rows have " + k);
      assertThatThrownBy(() -> kernels.gemm(false, true, 1, 4, k, x, w, y, false))
          .hasMessageContaining(blocks);
      assertThatThrownBy(() -> kernels.gemm(false, false, 4, k, 4, x, w, x, false))
          .hasMessageContaining(blocks);
      assertThatThrownBy(() -> kernels.gatherRows(w, ids, x, 1, k)).hasMessageContaining(blocks);
    }
  }
}

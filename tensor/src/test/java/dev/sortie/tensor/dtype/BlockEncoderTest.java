package dev.sortie.tensor.dtype;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Quantising has the bits of the reference, or for Q4_K at most the error of a plain choice. */
final class BlockEncoderTest {
  private final NativeArena arena = new NativeArena("test");

  record Sample(DType type, byte[] floats, byte[] blocks) {
    @Override
    public String toString() {
      return type.name();
    }
  }

  static List<Sample> samples() throws IOException {
    try (var in = BlockEncoderTest.class.getResourceAsStream("quantised.txt")) {
      Base64.Decoder base64 = Base64.getDecoder();
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .map(line -> line.split(" "))
          .map(f -> new Sample(DType.valueOf(f[0]), base64.decode(f[1]), base64.decode(f[2])))
          .toList();
    }
  }

  @AfterEach
  void free() {
    arena.close();
  }

  private Span floats(double... values) {
    Span span = arena.allocate(DType.F32, values.length).span();
    for (int i = 0; i < values.length; i++) {
      span.set(i, values[i]);
    }
    return span;
  }

  @Test
  void everyTypeWithAReferenceHasASample() throws IOException {
    assertThat(samples().stream().map(Sample::type))
        .containsExactlyInAnyOrderElementsOf(
            BlockEncoder.TYPES.stream().filter(t -> t != DType.Q4_K).toList());
  }

  /** make_quantised.py wrote the samples. */
  @ParameterizedTest
  @MethodSource("samples")
  void copyQuantisesToTheBitsOfTheReference(Sample s) {
    Span x = arena.allocate(DType.F32, s.floats.length / 4).span();
    x.segment().copyFrom(MemorySegment.ofArray(s.floats));
    try (WorkerPool pool = new WorkerPool(2)) {
      for (Kernels kernels : List.of(new ScalarKernels(), KernelSets.choose(pool))) {
        Span y = arena.allocate(s.type, x.length()).span();
        kernels.copy(x, y);
        assertThat(y.segment().toArray(ValueLayout.JAVA_BYTE))
            .as(kernels.name())
            .isEqualTo(s.blocks);
      }
    }
  }

  private static double[] gaussians(Random random, int count) {
    return random.doubles(count).map(u -> random.nextGaussian()).toArray();
  }

  /** Squared error of Q4_K, of the plain choice, and the squares of the elements. */
  private double[] errors(double[] values) {
    Span x = floats(values);
    Span q = arena.allocate(DType.Q4_K, values.length).span();
    new ScalarKernels().copy(x, q);
    double[] errors = new double[3];
    for (int i = 0; i < values.length; i++) {
      errors[0] += Math.pow(q.get(i) - x.get(i), 2);
      errors[2] += Math.pow(x.get(i), 2);
    }
    for (int block = 0; block < values.length; block += 256) {
      errors[1] += plainError(x, block);
    }
    return errors;
  }

  /** Scale and minimum of each 32 by their extremes, rounded to 6 bits of the largest. */
  private static double plainError(Span x, int block) {
    double[] low = new double[8];
    double[] scale = new double[8];
    for (int g = 0; g < 8; g++) {
      double high = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < 32; i++) {
        low[g] = Math.min(low[g], x.get(block + 32 * g + i));
        high = Math.max(high, x.get(block + 32 * g + i));
      }
      scale[g] = (high - low[g]) / 15;
    }
    double d = half(DoubleStream.of(scale).max().orElseThrow() / 63);
    double m = half(-DoubleStream.of(low).min().orElseThrow() / 63);
    double error = 0;
    for (int i = 0; i < 256; i++) {
      double s = d * Math.min(63, Math.rint(scale[i / 32] / d));
      double min = m == 0 ? 0 : m * Math.min(63, Math.rint(-low[i / 32] / m));
      double q = s == 0 ? 0 : Math.clamp(Math.rint((x.get(block + i) + min) / s), 0, 15);
      error += Math.pow(s * q - min - x.get(block + i), 2);
    }
    return error;
  }

  private static double half(double value) {
    return Float.float16ToFloat(Float.floatToFloat16((float) value));
  }

  @Test
  void q4kIsNoWorseThanThePlainChoiceInAnyBlockAndBetterOnTheWhole() {
    Random random = new Random(3);
    for (int round = 0; round < 20; round++) {
      double[] block = gaussians(random, 256);
      for (int i = 0; i < 256; i++) {
        block[i] = round % 3 == 1 ? Math.abs(block[i]) + 1 : block[i];
        block[i] *= round % 4 == 2 && i % 50 == 0 ? 20 : 1;
      }
      double[] errors = errors(block);
      assertThat(errors[0]).as("block %d", round).isLessThanOrEqualTo(errors[1] * (1 + 1e-5));
    }
    double[] errors = errors(gaussians(random, 256 * 64));
    assertThat(errors[0]).isLessThan(0.9 * errors[1]);
    assertThat(Math.sqrt(errors[0] / errors[2])).isLessThan(0.075);
  }

  @Test
  void q4kKeepsWhatItCanHold() {
    double[] values = new double[256];
    for (int i = 0; i < 256; i++) {
      values[i] = 63 * (i % 16) - 63 * 8;
    }
    Span q = arena.allocate(DType.Q4_K, 256).span();
    new ScalarKernels().copy(floats(values), q);
    for (int i = 0; i < 256; i++) {
      assertThat(q.get(i)).isCloseTo(values[i], within(1e-9));
    }
    new ScalarKernels().copy(floats(new double[256]), q);
    for (int i = 0; i < 256; i++) {
      assertThat(q.get(i)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void valuesThatNoBlockCanHoldAreRefused(DType type) {
    if (!type.isQuantised()) {
      return;
    }
    Span y = arena.allocate(type, type.block()).span();
    Span huge = floats(new double[type.block()]);
    huge.set(1, 3e38);
    Span nan = floats(new double[type.block()]);
    nan.set(2, Double.NaN);
    try (WorkerPool pool = new WorkerPool(1)) {
      for (Kernels kernels : List.of(new ScalarKernels(), KernelSets.choose(pool))) {
        if (BlockEncoder.TYPES.contains(type)) {
          assertThatThrownBy(() -> kernels.copy(huge, y)).hasMessageContaining("too large");
          assertThatThrownBy(() -> kernels.copy(nan, y)).hasMessageContaining("NaN");
        } else {
          assertThatThrownBy(() -> kernels.copy(nan, y))
              .hasMessageContaining("cannot quantise to " + type)
              .hasMessageContaining("Q4_K");
        }
      }
    }
  }
}

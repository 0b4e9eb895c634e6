package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link Kernels#linears} gives the bits of {@link Kernels#linear}, however it is shared out. */
final class ProjectionsContractTest {
  private final NativeArena arena = new NativeArena("test");

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void severalWeightsGiveTheBitsOfOneByOne(int threads) {
    int k = 577;
    int[] outputs = {300, 1, 100, 0, 513};
    DType[] types = {DType.F32, DType.BF16, DType.F16, DType.F32, DType.BF16};
    try (Device device = Device.cpu(threads)) {
      Kernels kernels = device.kernels();
      for (int m : new int[] {0, 1, 3, 16, 17}) {
        Span x = random(DType.F32, (long) m * k, kernels, 1);
        List<Projection> together = new ArrayList<>();
        List<Span> alone = new ArrayList<>();
        for (int i = 0; i < outputs.length; i++) {
          int n = outputs[i];
          Span w = random(types[i], (long) n * k, kernels, 2 + i);
          Span bias = i % 2 == 0 ? random(DType.F32, n, kernels, 10 + i) : null;
          together.add(new Projection(w, bias, arena.allocate(DType.F32, (long) m * n).span(), n));
          Span y = arena.allocate(DType.F32, (long) m * n).span();
          kernels.linear(x, w, bias, y, m, n, k);
          alone.add(y);
        }
        kernels.linears(x, together, m, k);
        for (int i = 0; i < outputs.length; i++) {
          assertThat(floats(together.get(i).y()))
              .as("m %d, weight %d", m, i)
              .containsExactly(floats(alone.get(i)));
        }
      }
    } finally {
      arena.close();
    }
  }

  private Span random(DType type, long count, Kernels kernels, int seed) {
    Span values = arena.allocate(DType.F32, count).span();
    Random random = new Random(seed, 0);
    for (long i = 0; i < count; i++) {
      values.set(i, random.normal(i));
    }
    Span y = arena.allocate(type, count).span();
    kernels.copy(values, y);
    return y;
  }

  private static float[] floats(Span s) {
    return s.segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }
}

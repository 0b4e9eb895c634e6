package dev.sortie.eetuning.exit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** In which types exits are held. */
class QuantizedWeightsContractTest {
  /** Decoding is bound by reading weights, but not those that stay in caches. */
  @ParameterizedTest
  @CsvSource({
    "F32, 5000000, F32",
    "F32, 135000000, F32",
    "BF16, 5000000, BF16",
    "BF16, 135000000, Q8_0",
    "Q4_1, 5000000, Q8_0"
  })
  void theTypeFollowsTheBackbone(DType matrices, long parameters, DType held) {
    assertThat(QuantizedWeights.typeFor(matrices, parameters)).isEqualTo(held);
  }

  /** Blocks have 32 elements. */
  @ParameterizedTest
  @CsvSource({"64, INPUT_PROJECTION, Q8_0", "48, INPUT_PROJECTION, BF16", "64, NORM, F32"})
  void matricesOfWholeBlocksAreHeldInEightBits(int columns, String role, DType held) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("weights")) {
      Tensor stored = Tensor.allocate(arena, DType.F32, Shape.of(3, columns));
      for (int i = 0; i < 3 * columns; i++) {
        stored.span().set(i, Math.sin(i));
      }
      Tensor copy =
          new QuantizedWeights((_, _, _) -> stored, DType.Q8_0, arena, device.kernels())
              .get("a", stored.shape(), Weights.Role.valueOf(role));
      assertThat(copy.dtype()).isEqualTo(held);
      Tensor floats = Tensor.allocate(arena, DType.F32, stored.shape());
      device.kernels().copy(copy.span(), floats.span());
      for (int i = 0; i < 3 * columns; i++) {
        assertThat(floats.span().get(i)).isCloseTo(stored.span().get(i), offset(5e-3));
      }
    }
  }
}

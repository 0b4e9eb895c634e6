package dev.sortie.nn.optim;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Storage;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What would give parameters that are no numbers, or end the JVM, is refused by name. */
class AdamWRefusalsContractTest {
  @ParameterizedTest
  @CsvSource({
    "1.9, 0.9, 1e-8, 0, 1, beta1",
    "0.9, 1, 1e-8, 0, 1, beta2",
    "0.9, NaN, 1e-8, 0, 1, beta2",
    "0.9, 0.9, 0, 0, 1, epsilon",
    "0.9, 0.9, 1e-8, -1, 1, weight decay",
    "0.9, 0.9, 1e-8, 0, NaN, clip"
  })
  void optionsOutsideTheirBounds(
      double beta1, double beta2, double epsilon, double decay, double clip, String name) {
    assertThatThrownBy(() -> new AdamW.Options(beta1, beta2, epsilon, decay, clip))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("AdamW: " + name);
  }

  @Test
  void stepsBeforeTheFirstAndParametersThatCanOnlyBeRead() {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test")) {
      Tensor p = Tensor.allocate(arena, DType.F32, Shape.of(4));
      SequencedMap<String, Tensor> parameters = new LinkedHashMap<>();
      parameters.put("p", p);
      AdamW adam = new AdamW(AdamW.Options.DEFAULT, arena, device.kernels(), parameters);
      assertThatThrownBy(() -> adam.step(device.kernels(), _ -> p, 0, 0.1, 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("step is 0");
      Storage mapped = arena.wrap(DType.F32, 4, p.span().segment().asReadOnly());
      parameters.put("mapped", Tensor.of(mapped, Shape.of(4)));
      assertThatThrownBy(
              () -> new AdamW(AdamW.Options.DEFAULT, arena, device.kernels(), parameters))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("parameter mapped", "only be read");
    }
  }
}

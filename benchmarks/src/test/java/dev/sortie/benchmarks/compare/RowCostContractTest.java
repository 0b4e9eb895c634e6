package dev.sortie.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.measure.Side;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowCostContractTest {
  @Test
  void eachNumberOfRowsHasItsTimeAndTheRatioToOne() {
    try (NativeArena arena = new NativeArena("test");
        Device device = Device.cpu(1)) {
      var config = new TrainingPlan(1).config();
      Decoder decoder =
          new Decoder(config, arena, new RandomWeights(new Random(1, 0), 0.02, 1, arena));
      List<RowCost> costs = RowCost.measure(decoder, device, 1, Side::of);
      assertThat(costs).extracting(RowCost::rows).containsExactly(1, 2, 4, 8, 16);
      assertThat(costs).allMatch(c -> c.milliseconds() > 0 && c.ratio() > 0);
      assertThat(costs.getFirst().ratio()).isEqualTo(1);
    }
  }
}

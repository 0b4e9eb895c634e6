package dev.sortie.eetuning.train.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogisticRegressionContractTest {
  private static final float[] WEIGHT = {2, -1, 0, 0.5f};
  private static final float BIAS = -0.7f;

  @Test
  void theRegressionThatMadeTheAnswersIsFound() {
    Random random = new Random(1, 0);
    LogisticRegression truth = new LogisticRegression(WEIGHT, BIAS);
    List<float[]> inputs = new ArrayList<>();
    List<Boolean> answers = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      float[] x = new float[WEIGHT.length];
      for (int k = 0; k < x.length; k++) {
        x[k] = (float) random.normal(8L * i + k);
      }
      inputs.add(x);
      answers.add(random.uniform(8L * i + 7) < 1 / (1 + Math.exp(-truth.score(x))));
    }
    try (Device one = Device.cpu(1);
        Device two = Device.cpu(2)) {
      LogisticRegression found = LogisticRegression.fit(inputs, answers, one);
      for (int k = 0; k < WEIGHT.length; k++) {
        assertThat(found.weight()[k]).isCloseTo(WEIGHT[k], within(0.25f));
      }
      assertThat(found.bias()).isCloseTo(BIAS, within(0.25f));
      LogisticRegression again = LogisticRegression.fit(inputs, answers, two);
      assertThat(again.weight()).containsExactly(found.weight());
      assertThat(again.bias()).isEqualTo(found.bias());
    }
  }
}

package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.pretrain.PretrainLayout;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.PretrainPlacement;
import dev.sortie.eetuning.train.pretrain.Pretrainer;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pre-training by ranks that share the weights learns what one rank learns. */
class SharedPretrainingContractTest {
  private static final int STEPS = 50;

  /**
   * One key and value head on up to four ranks, a vocabulary and an inner width that do not divide.
   */
  private static final DecoderConfig CONFIG =
      new DecoderConfig(2, 32, 4, 1, 8, 50, 61, 16, 1e-5, 10000, false, true, true, true);

  private static final PretrainOptions OPTIONS =
      new PretrainOptions(
          2,
          4,
          new Schedule(3e-3, 3e-4, 5, STEPS, Schedule.Decay.COSINE),
          AdamW.Options.DEFAULT,
          3);

  /** Losses of all steps, and the weights in the end. */
  private record Run(List<Double> losses, double validation, Map<String, float[]> weights) {}

  /** Sentences of a small grammar of numbers. */
  private record Counting(int length) implements TokenSource {
    @Override
    public int[] window(long index) {
      Random random = new Random(17, index);
      int start = random.below(0, 61);
      int stride = 1 + random.below(1, 5);
      int[] window = new int[length() + 1];
      for (int i = 0; i < window.length; i++) {
        window[i] = (start + i * stride) % 61;
      }
      return window;
    }

    @Override
    public long distinctWindows() {
      return 1 << 20;
    }

    @Override
    public long number(long index) {
      return index;
    }

    @Override
    public long[] counts(int vocab) {
      return new long[vocab];
    }

    @Override
    public int validationCount() {
      return 3;
    }

    @Override
    public int[] validation(int i) {
      return window(distinctWindows() + i);
    }

    @Override
    public String fingerprint() {
      return "counting";
    }
  }

  @ParameterizedTest
  @CsvSource({"2, false", "2, true", "3, false", "4, false", "4, true"})
  void lossesAreThoseOfOneRankAndTheBitsThoseOfTheRunBefore(int ranks, boolean sequence)
      throws Exception {
    Run alone = alone();
    List<Run> first = together(ranks, sequence);
    List<Run> again = together(ranks, sequence);
    for (int r = 0; r < ranks; r++) {
      Run run = first.get(r);
      for (int i = 0; i < STEPS; i++) {
        double expected = alone.losses().get(i);
        assertThat(run.losses().get(i))
            .as("loss of step " + i)
            .isCloseTo(expected, within(1e-5 * expected));
      }
      assertThat(run.validation()).isCloseTo(alone.validation(), within(1e-5 * alone.validation()));
      assertThat(run.losses()).isEqualTo(again.get(r).losses()).isEqualTo(first.get(0).losses());
      assertThat(run.weights().keySet()).isEqualTo(alone.weights().keySet());
      for (String name : run.weights().keySet()) {
        assertThat(run.weights().get(name))
            .as(name)
            .containsExactly(again.get(r).weights().get(name))
            .containsExactly(first.get(0).weights().get(name))
            .hasSameSizeAs(alone.weights().get(name));
      }
    }
  }

  /** Otherwise the test above would say little. */
  @Test
  void theModelLearns() {
    List<Double> losses = alone().losses();
    assertThat(losses.getFirst()).isGreaterThan(4);
    assertThat(losses.getLast()).isLessThan(0.9 * losses.getFirst());
  }

  @Test
  void tokensThatCannotBeSharedOutAreRefused() {
    assertThatThrownBy(
            () ->
                TinyRanks.run(
                    new Mesh(2, 1, 1),
                    TinyRanks.Joining.THREADS,
                    groups -> {
                      try (groups;
                          Device device = Device.cpu(1)) {
                        return trainer(groups, true, 11, device);
                      }
                    }))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--seq-len 11 must be a multiple of the 2 ranks");
  }

  private static Run alone() {
    try (Device device = Device.cpu(1);
        Pretrainer trainer = new Pretrainer(CONFIG, OPTIONS, new Counting(12), device)) {
      return train(trainer, trainer.decoder().parameters());
    }
  }

  private static Pretrainer trainer(
      ProcessGroups groups, boolean sequence, int length, Device device) {
    return new Pretrainer(
        CONFIG,
        OPTIONS,
        new Counting(length),
        device,
        PretrainPlacement.on(groups, sequence, PretrainLayout.USUAL));
  }

  private static List<Run> together(int ranks, boolean sequence) throws Exception {
    return TinyRanks.run(
        new Mesh(ranks, 1, 1),
        TinyRanks.Joining.THREADS,
        groups -> {
          try (groups;
              Device device = Device.cpu(1);
              NativeArena arena = new NativeArena("whole");
              Pretrainer trainer = trainer(groups, sequence, 12, device)) {
            Run run = train(trainer, Map.of());
            Decoder decoder = trainer.decoder();
            Map<String, Tensor> whole = decoder.sharding().whole(decoder.parameters(), arena);
            return new Run(run.losses(), run.validation(), floats(whole));
          }
        });
  }

  private static Run train(Pretrainer trainer, Map<String, Tensor> weights) {
    List<Double> losses = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      losses.add(trainer.step(step).get("final"));
    }
    return new Run(losses, trainer.validate().get("final"), floats(weights));
  }

  private static Map<String, float[]> floats(Map<String, Tensor> tensors) {
    Map<String, float[]> all = new LinkedHashMap<>();
    tensors.forEach((name, t) -> all.put(name, t.toFloats()));
    return all;
  }
}

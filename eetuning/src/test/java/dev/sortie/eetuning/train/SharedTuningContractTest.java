package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that share the weights of backbone and exits tune as one rank does, but for rounding. */
@Tag("slow")
class SharedTuningContractTest {
  private static final int STEPS = 50;

  @TempDir static Path shared;
  @TempDir Path out;

  @BeforeAll
  static void makeModel() {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    TinyTuning.writeExits(model, shared.resolve("exits"), false);
    TinyTuning.writeExits(model, shared.resolve("lookahead"), true);
  }

  private static TinyTuning tuning(String exits, Objective objective, boolean sequence) {
    return new TinyTuning(
        shared.resolve("model"), shared.resolve(exits), objective, sequence, STEPS, t -> {});
  }

  private static TinyTuning plain() {
    return tuning("exits", Objective.CE, false);
  }

  /** The exit after two layers has a draft head; a lookahead exit, where there is one, too. */
  @ParameterizedTest
  @CsvSource({
    "exits, CE, 2, 1, 1, false",
    "lookahead, KL, 2, 1, 1, false",
    "lookahead, CE, 4, 1, 1, false",
    "exits, KL, 4, 1, 1, true",
    "exits, CE, 2, 1, 1, true",
    "exits, CE, 2, 2, 1, false",
    "lookahead, CE, 2, 1, 2, false",
    "exits, KL, 2, 1, 2, true",
    "exits, CE, 2, 2, 2, false"
  })
  void lossesAreThoseOfOneRankAndTheBitsThoseOfTheRunBefore(
      String exits, Objective objective, int tp, int dp, int pp, boolean sequence)
      throws Exception {
    TinyTuning tuning = tuning(exits, objective, sequence);
    TinyTraining.Result alone = tuning.run(out.resolve("alone"), Mesh.single());
    Mesh mesh = new Mesh(tp, dp, pp);
    List<TinyTraining.Result> first =
        tuning.all(out.resolve("first"), mesh, TinyRanks.Joining.THREADS);
    List<TinyTraining.Result> again =
        tuning.all(out.resolve("again"), mesh, TinyRanks.Joining.THREADS);
    near(alone.outcome().history().losses(), first.getFirst().outcome().history().losses());
    for (int r = 0; r < mesh.world(); r++) {
      assertThat(first.get(r).outcome().history().losses())
          .isEqualTo(first.getFirst().outcome().history().losses())
          .isEqualTo(again.get(r).outcome().history().losses());
      assertThat(first.get(r).outcome().history().validations())
          .isEqualTo(again.get(r).outcome().history().validations());
    }
    assertThat(first.getFirst().sha256()).isEqualTo(again.getFirst().sha256()).hasSize(64);
  }

  private static void near(Map<String, List<Double>> expected, Map<String, List<Double>> found) {
    assertThat(found.keySet()).isEqualTo(expected.keySet()).hasSizeGreaterThan(2);
    expected.forEach(
        (exit, losses) -> {
          assertThat(losses).hasSize(STEPS).doesNotHaveDuplicates();
          for (int i = 0; i < STEPS; i++) {
            assertThat(found.get(exit).get(i))
                .as("exit " + exit + ", step " + i)
                .isCloseTo(losses.get(i), within(1e-5 * losses.get(i)));
          }
        });
  }

  @Test
  void aRunThatWasStoppedEndsWithTheBitsOfOneThatWasNot() throws Exception {
    TinyTraining.Result straight = plain().run(out.resolve("a"), new Mesh(2, 2, 1));
    assertThat(plain().run(out.resolve("b"), new Mesh(2, 2, 1), 17).outcome())
        .matches(o -> !o.finished());
    // the checkpoint holds whole tensors: replicas and stages may come or go
    assertThat(plain().run(out.resolve("b"), new Mesh(2, 1, 2), 29).outcome())
        .matches(o -> !o.finished());
    TinyTraining.Result resumed = plain().run(out.resolve("b"), new Mesh(2, 1, 1));
    assertThat(resumed.sha256()).isEqualTo(straight.sha256());
    assertThat(resumed.outcome().history().losses())
        .isEqualTo(straight.outcome().history().losses());
  }

  @Test
  void anotherNumberOfSharesIsRefusedForItAddsInAnotherOrder() throws Exception {
    plain().run(out, new Mesh(2, 1, 1), 3);
    assertThatThrownBy(() -> plain().run(out, new Mesh(4, 1, 1)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("this run was begun with tp 2, now it is 4");
    assertThatThrownBy(() -> plain().run(out, Mesh.single()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("this run was begun with tp 2, now there is none");
  }
}

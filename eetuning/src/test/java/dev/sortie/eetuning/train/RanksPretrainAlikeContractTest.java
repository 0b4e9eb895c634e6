package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.sortie.eetuning.train.TinyPretraining.Model;
import dev.sortie.eetuning.train.checkpoint.CheckpointNames;
import dev.sortie.eetuning.train.pretrain.PretrainLayout;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** However many ranks pre-train, and in what order, weights, losses and resumes are the same. */
@Tag("slow")
class RanksPretrainAlikeContractTest {
  private static final int STEPS = 4;
  private static final int LONG = 50;

  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<Model, TinyTraining.Result> ALONE = new EnumMap<>(Model.class);

  @BeforeAll
  static void trainAlone() throws Exception {
    for (Model model : Model.values()) {
      TinyTraining.Result result = training(model).run(shared.resolve(model.name()), Mesh.single());
      result
          .outcome()
          .history()
          .losses()
          .forEach((exit, losses) -> assertThat(losses).as(exit).doesNotHaveDuplicates());
      ALONE.put(model, result);
    }
  }

  private static TinyPretraining training(Model model) {
    return new TinyPretraining(model, STEPS);
  }

  private static Mesh mesh(int dp, int pp) {
    return new Mesh(1, dp, pp);
  }

  private static void assertSame(Model model, TinyTraining.Result result) {
    TinyTraining.Result alone = ALONE.get(model);
    assertThat(result.outcome().finished()).isTrue();
    assertThat(result.outcome().history().losses()).isEqualTo(alone.outcome().history().losses());
    assertThat(result.outcome().history().validations())
        .isEqualTo(alone.outcome().history().validations());
    assertThat(result.sha256()).isEqualTo(alone.sha256());
  }

  @ParameterizedTest
  @CsvSource({
    "PLAIN, 2, 1, GPIPE, 1",
    "PLAIN, 4, 1, ONE_FORWARD_ONE_BACKWARD, 1",
    "PLAIN, 1, 2, ONE_FORWARD_ONE_BACKWARD, 1",
    "PLAIN, 1, 2, INTERLEAVED, 2",
    "PLAIN, 2, 2, ONE_FORWARD_ONE_BACKWARD, 1",
    "TIED, 4, 1, ONE_FORWARD_ONE_BACKWARD, 1",
    "TIED, 1, 2, GPIPE, 1",
    "TIED, 1, 2, ONE_FORWARD_ONE_BACKWARD, 1",
    "TIED, 1, 2, INTERLEAVED, 1",
    "TIED, 1, 2, INTERLEAVED, 2",
    "TIED, 1, 3, ONE_FORWARD_ONE_BACKWARD, 1",
    "TIED, 1, 4, GPIPE, 1",
    "TIED, 1, 4, ONE_FORWARD_ONE_BACKWARD, 1",
    "TIED, 2, 2, GPIPE, 1",
    "TIED, 2, 2, ONE_FORWARD_ONE_BACKWARD, 1",
    "TIED, 2, 2, INTERLEAVED, 2",
    "TIED, 2, 4, ONE_FORWARD_ONE_BACKWARD, 1",
    "UNTIED, 2, 1, ONE_FORWARD_ONE_BACKWARD, 1",
    "UNTIED, 1, 2, INTERLEAVED, 2",
    "UNTIED, 1, 4, ONE_FORWARD_ONE_BACKWARD, 1",
    "UNTIED, 2, 2, GPIPE, 1",
    "DROPPING, 4, 1, ONE_FORWARD_ONE_BACKWARD, 1",
    "DROPPING, 1, 4, GPIPE, 1",
    "DROPPING, 2, 2, INTERLEAVED, 2"
  })
  void everyLayoutAndScheduleGivesTheBitsOfOneRank(
      Model model, int dp, int pp, TrainingSchedule schedule, int chunks) throws Exception {
    PretrainLayout layout = new PretrainLayout(schedule, chunks);
    assertSame(model, training(model).with(layout).run(out, mesh(dp, pp)));
  }

  /** The data repeat themselves, what is dropped does not. */
  @Test
  void dropoutChangesWhatIsLearnt() {
    assertThat(ALONE.get(Model.DROPPING).outcome().history().losses().get("final"))
        .isNotEqualTo(ALONE.get(Model.TIED).outcome().history().losses().get("final"));
  }

  /**
   * Stages whose weights are shared out add in another order, the same in every run and for every
   * number of stages.
   */
  @ParameterizedTest
  @CsvSource({"PLAIN, 2, 2, false", "TIED, 1, 2, true", "DROPPING, 2, 1, true"})
  void stagesThatShareWeightsLearnTheSameButForRounding(
      Model model, int dp, int pp, boolean sequence) throws Exception {
    TinyPretraining training = new TinyPretraining(model, LONG).sharingTokens(sequence);
    TinyTraining.Result alone = training.run(out.resolve("alone"), Mesh.single());
    TinyTraining.Result one = training.run(out.resolve("one"), new Mesh(2, 1, 1));
    Mesh mesh = new Mesh(2, dp, pp);
    for (String run : List.of("once", "again")) {
      TinyTraining.Result found = training.run(out.resolve(run), mesh);
      assertThat(found.sha256()).isEqualTo(one.sha256()).isNotEqualTo(alone.sha256());
      assertThat(found.outcome().history().losses()).isEqualTo(one.outcome().history().losses());
    }
    alone
        .outcome()
        .history()
        .losses()
        .forEach(
            (name, losses) -> {
              List<Double> here = one.outcome().history().losses().get(name);
              assertThat(here).hasSize(LONG);
              for (int i = 0; i < LONG; i++) {
                assertThat(here.get(i))
                    .as("loss %s of step %d", name, i)
                    .isCloseTo(losses.get(i), within(1e-5 * losses.get(i)));
              }
            });
  }

  /** Several ranks stop a step after the wish: two stops are all that four steps have room for. */
  @ParameterizedTest
  @EnumSource(Model.class)
  void aRunThatWasStoppedContinuesUnderAnotherLayout(Model model) throws Exception {
    assertThat(training(model).run(out, mesh(1, 3), 1).outcome().finished()).isFalse();
    PretrainLayout interleaved = new PretrainLayout(TrainingSchedule.INTERLEAVED, 2);
    assertThat(training(model).with(interleaved).run(out, mesh(2, 2), 2).outcome().finished())
        .isFalse();
    assertSame(model, training(model).run(out, mesh(4, 1)));
  }

  @Test
  void theNewestWholeCheckpointIsTakenByAllRanks() throws Exception {
    training(Model.TIED).run(out, mesh(2, 2), 3);
    Path newest = out.resolve("checkpoints/step-000003/state-00002-of-00004.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 4;
    Files.write(newest, bytes);
    assertSame(Model.TIED, training(Model.TIED).run(out, mesh(2, 2)));
  }

  /** ZeRO stage 1: of two replicas each has half of the moments, the first has the parameters. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aReplicaKeepsHalfOfTheMoments(int tp) throws Exception {
    training(Model.TIED).run(out, new Mesh(tp, 2, 1), 3);
    long[] parameters = new long[2];
    long[] moments = new long[2];
    for (int r = 0; r < 2 * tp; r++) {
      String name = "checkpoints/step-000003/" + CheckpointNames.ofShard(r, 2 * tp);
      try (Safetensors file = Safetensors.open(out.resolve(name))) {
        for (var t : file.tensors().entrySet()) {
          long count = t.getValue().shape().stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
          (t.getKey().startsWith("optimizer.") ? moments : parameters)[r / tp] += count;
        }
      }
    }
    assertThat(parameters[0]).isPositive();
    assertThat(parameters[1]).isZero();
    assertThat(moments[0] + moments[1]).isEqualTo(2 * parameters[0]);
    assertThat((double) moments[0]).isCloseTo(moments[1], withinPercentage(5));
  }

  @Test
  void whatCannotBeSharedOutIsRefusedWithTheNumbers() {
    assertThatThrownBy(() -> training(Model.PLAIN).run(out, mesh(3, 1)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--dp 3 does not divide the 4 micro-batches")
        .hasMessageContaining("multiple of 6");
    assertThatThrownBy(() -> training(Model.PLAIN).run(out, mesh(1, 5)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 5 is more than the 4 layers");
    PretrainLayout interleaved = new PretrainLayout(TrainingSchedule.INTERLEAVED, 2);
    assertThatThrownBy(() -> training(Model.PLAIN).with(interleaved).run(out, mesh(1, 3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 3 needs a multiple of 3 micro-batches")
        .hasMessageContaining("there are 4");
    assertThatThrownBy(() -> training(Model.PLAIN).with(interleaved).run(out, mesh(1, 4)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 4 times --chunks 2 is more than the 4 layers");
    assertThatThrownBy(() -> new PretrainLayout(TrainingSchedule.GPIPE, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--chunks 2 is for --schedule interleaved");
  }
}

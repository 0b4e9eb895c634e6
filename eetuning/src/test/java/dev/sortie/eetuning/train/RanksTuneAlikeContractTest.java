package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** However many ranks tune, the exits file, the losses and what a resume finds are the same. */
class RanksTuneAlikeContractTest {
  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<Objective, TinyTuning.Result> ALONE = new EnumMap<>(Objective.class);

  @BeforeAll
  static void tuneAlone() throws Exception {
    TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    for (Objective objective : Objective.values()) {
      TinyTuning.Result result =
          tuning(objective).run(shared.resolve(objective.word()), Mesh.single());
      // losses that move: a tuner that did nothing would pass all that follows
      result
          .outcome()
          .history()
          .losses()
          .forEach((exit, losses) -> assertThat(losses).as(exit).doesNotHaveDuplicates());
      ALONE.put(objective, result);
    }
  }

  private static TinyTuning tuning(Objective objective) {
    return new TinyTuning(shared.resolve("model"), objective, true);
  }

  private static Mesh mesh(int dp) {
    return new Mesh(1, 1, dp, 1);
  }

  private static void assertSame(TinyTuning.Result result, Objective objective) {
    TinyTuning.Result alone = ALONE.get(objective);
    assertThat(result.outcome().finished()).isTrue();
    assertThat(result.outcome().history().losses()).isEqualTo(alone.outcome().history().losses());
    assertThat(result.outcome().history().validations())
        .isEqualTo(alone.outcome().history().validations());
    assertThat(result.sha256()).isEqualTo(alone.sha256());
  }

  @ParameterizedTest
  @CsvSource({"CE, 2", "CE, 4", "KL, 2", "KL, 4"})
  void everyLayoutGivesTheBitsOfOneRank(Objective objective, int dp) throws Exception {
    assertSame(tuning(objective).run(out, mesh(dp)), objective);
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void aRunThatWasStoppedGoesOnUnderAnotherLayout(Objective objective) throws Exception {
    assertThat(tuning(objective).run(out, mesh(2), 1).outcome().finished()).isFalse();
    assertThat(tuning(objective).run(out, Mesh.single(), 3).outcome().finished()).isFalse();
    assertThat(tuning(objective).run(out, mesh(4), 4).outcome().finished()).isFalse();
    assertSame(tuning(objective).run(out, mesh(2)), objective);
  }

  @Test
  void theNewestWholeCheckpointIsTakenByAllRanks() throws Exception {
    tuning(Objective.CE).run(out, mesh(2), 3);
    Path newest = out.resolve("checkpoints/step-000003/state.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 4;
    Files.write(newest, bytes);
    assertSame(tuning(Objective.CE).run(out, mesh(2)), Objective.CE);
  }

  @Test
  void microBatchesThatCannotBeSharedOutAreRefusedWithTheNumbers() {
    assertThatThrownBy(() -> tuning(Objective.CE).run(out, mesh(3)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--dp 3 does not divide the 4 micro-batches")
        .hasMessageContaining("multiple of 6");
  }

  @Test
  void aMeshOfAnotherSizeThanTheJobIsRefused() {
    assertThatThrownBy(() -> Team.checkSize(mesh(2), 3))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--dp 2 needs 2 ranks, this job has 3");
  }
}

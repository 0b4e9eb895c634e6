package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.StagePlan;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** However many ranks tune, the exits file, the losses and what a resume finds are the same. */
@Tag("slow")
class RanksTuneAlikeContractTest {
  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<Objective, TinyTraining.Result> ALONE = new EnumMap<>(Objective.class);

  @BeforeAll
  static void tuneAlone() throws Exception {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    TinyTuning.writeExits(model, shared.resolve("exits"), true);
    TinyTuning.writeExits(model, shared.resolve("shallow"), false);
    for (Objective objective : Objective.values()) {
      TinyTraining.Result result =
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
    return new TinyTuning(shared.resolve("model"), shared.resolve("exits"), objective, t -> {});
  }

  private static Mesh mesh(int dp, int pp) {
    return new Mesh(1, dp, pp);
  }

  private static void assertSame(TinyTraining.Result result, Objective objective) {
    TinyTraining.Result alone = ALONE.get(objective);
    assertThat(result.outcome().finished()).isTrue();
    assertThat(result.outcome().history().losses()).isEqualTo(alone.outcome().history().losses());
    assertThat(result.outcome().history().validations())
        .isEqualTo(alone.outcome().history().validations());
    assertThat(result.sha256()).isEqualTo(alone.sha256());
  }

  @ParameterizedTest
  @CsvSource({
    "CE, 2, 1", "CE, 4, 1", "CE, 1, 2", "CE, 1, 3", "CE, 1, 4", "CE, 2, 2", "CE, 4, 2", "CE, 2, 4",
    "KL, 2, 1", "KL, 4, 1", "KL, 1, 2", "KL, 1, 3", "KL, 1, 4", "KL, 2, 2", "KL, 4, 2", "KL, 2, 4"
  })
  void everyLayoutGivesTheBitsOfOneRank(Objective objective, int dp, int pp) throws Exception {
    assertSame(tuning(objective).run(out, mesh(dp, pp)), objective);
  }

  /** Nothing runs after the deepest exit: three layers for three stages, none for a fourth. */
  @Test
  void layersBehindTheLastExitAreNotRun() throws Exception {
    Set<String> seen = ConcurrentHashMap.newKeySet();
    TinyTuning shallow =
        new TinyTuning(
            shared.resolve("model"),
            shared.resolve("shallow"),
            Objective.CE,
            t -> seen.add(t.stage() + " " + t.action().type()));
    String alone = shallow.run(out.resolve("alone"), Mesh.single()).sha256();
    assertThat(shallow.run(out.resolve("job"), mesh(1, 3)).sha256()).isEqualTo(alone);
    assertThat(seen)
        .containsExactlyInAnyOrder(
            "0 FORWARD", "0 TRAIN", "1 FORWARD", "1 TRAIN", "2 FORWARD", "2 TRAIN");
    assertThatThrownBy(() -> shallow.run(out.resolve("more"), mesh(1, 4)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 4 is more than the 3 layers that run")
        .hasMessageContaining("after layer 3");
  }

  @Test
  void aStageHoldsTheWeightsThatItComputesWithAndNoOthers() {
    try (Device device = Device.cpu(1);
        LanguageModel whole = LanguageModel.load(shared.resolve("model"), Precision.F32, device)) {
      var tensors = whole.decoder().parameters();
      long tables = whole.bytes() - bytes(tensors, name -> true);
      StagePlan plan = tuning(Objective.CE).plan(whole.config().decoder(), 4);
      for (int stage = 0; stage < 4; stage++) {
        int s = stage;
        Predicate<String> needed = name -> plan.needs(s, name);
        ModelFiles files = ModelFiles.open(shared.resolve("model"));
        try (LanguageModel part =
            LanguageModel.load(files, Precision.F32, device, DecoderBuilder.part(needed))) {
          assertThat(part.bytes()).isEqualTo(tables + bytes(tensors, needed));
        }
        assertThat(tensors.keySet().stream().filter(needed))
            .filteredOn(name -> name.startsWith("model.layers."))
            .isNotEmpty()
            .allMatch(name -> name.startsWith("model.layers." + s + "."));
      }
    }
  }

  private static long bytes(Map<String, Tensor> tensors, Predicate<String> which) {
    return tensors.entrySet().stream()
        .filter(t -> which.test(t.getKey()))
        .mapToLong(t -> t.getValue().shape().count() * Float.BYTES)
        .sum();
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void aRunThatWasStoppedContinuesUnderAnotherLayout(Objective objective) throws Exception {
    assertThat(tuning(objective).run(out, mesh(1, 3), 1).outcome().finished()).isFalse();
    assertThat(tuning(objective).run(out, Mesh.single(), 3).outcome().finished()).isFalse();
    assertThat(tuning(objective).run(out, mesh(4, 1), 4).outcome().finished()).isFalse();
    assertSame(tuning(objective).run(out, mesh(2, 2)), objective);
  }

  /** Of steps that ranks finish while they do the next one, and of those before a checkpoint. */
  @Test
  void everyRankLearnsOfEachStepOnceAndInOrder() throws Exception {
    Map<Integer, List<Integer>> heard = new ConcurrentHashMap<>();
    tuning(Objective.CE)
        .run(
            out,
            mesh(2, 2),
            TinyTraining.STEPS,
            (groups, step) ->
                heard.computeIfAbsent(groups.rank().value(), r -> new ArrayList<>()).add(step));
    assertThat(heard).hasSize(4);
    assertThat(heard.values()).allSatisfy(s -> assertThat(s).containsExactly(1, 2, 3, 4, 5, 6));
  }

  @Test
  void theNewestWholeCheckpointIsTakenByAllRanks() throws Exception {
    tuning(Objective.CE).run(out, mesh(2, 2), 3);
    Path newest = out.resolve("checkpoints/step-000003/state-00002-of-00004.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 4;
    Files.write(newest, bytes);
    assertSame(tuning(Objective.CE).run(out, mesh(2, 2)), Objective.CE);
  }

  /** ZeRO stage 1: of four replicas each has a quarter of the rows of each moment. */
  @Test
  void aReplicaKeepsTheMomentsOfItsRowsAlone() throws Exception {
    tuning(Objective.CE).run(out, mesh(4, 1), 3);
    Map<String, List<Long>> rows = new TreeMap<>();
    List<Long> parameters = new ArrayList<>();
    for (int r = 1; r <= 4; r++) {
      String name = "checkpoints/step-000003/state-0000%d-of-00004.safetensors".formatted(r);
      try (Safetensors file = Safetensors.open(out.resolve(name))) {
        file.tensors()
            .forEach(
                (tensor, info) -> {
                  if (tensor.contains(".optimizer.")) {
                    rows.computeIfAbsent(tensor, t -> new ArrayList<>())
                        .add(info.shape().getFirst());
                  }
                });
        parameters.add(
            file.tensors().keySet().stream().filter(t -> !t.contains(".optimizer.")).count());
      }
    }
    assertThat(rows).isNotEmpty();
    assertThat(parameters)
        .as("parameters in each file; two moments belong to one")
        .containsExactly(rows.size() / 2L, 0L, 0L, 0L);
    assertThat(rows.values())
        .allSatisfy(
            counts -> {
              assertThat(counts).hasSize(4);
              assertThat(counts.getFirst() - counts.getLast()).isBetween(0L, 1L);
            });
  }

  @Test
  void microBatchesThatCannotBeSharedOutAreRefusedWithTheNumbers() {
    assertThatThrownBy(() -> tuning(Objective.CE).run(out, mesh(3, 1)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--dp 3 does not divide the 4 micro-batches")
        .hasMessageContaining("multiple of 6");
  }

  @Test
  void aMeshOfAnotherSizeThanTheJobIsRefused() {
    assertThatThrownBy(() -> ProcessGroups.checkSize(mesh(2, 2), 3))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--tp 1, --dp 2 and --pp 2 need 4 ranks, this job has 3");
  }
}

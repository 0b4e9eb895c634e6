package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import dev.sortie.parallel.shard.ShareBuilder;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** However many ranks pre-train, and in what order, weights, losses and resumes are the same. */
class RanksPretrainAlikeContractTest {
  private static final int STEPS = 4;
  private static final int LENGTH = 12;
  private static final int MICRO = 2;
  private static final int GLOBAL = 8;
  private static final int VOCAB = 61;

  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<Model, Result> ALONE = new EnumMap<>(Model.class);

  /** What is trained. */
  private enum Model {
    PLAIN(true, PretrainExits.NONE),
    /** Heads of three kinds; two exits share the matrix of embedding and head. */
    TIED(true, exits(true)),
    /** The exits share the head, the embedding is another matrix. */
    UNTIED(false, exits(true));

    private final DecoderConfig config;
    private final PretrainExits exits;

    Model(boolean tied, PretrainExits exits) {
      this.config =
          new DecoderConfig(
              4, 16, 4, 2, 4, 24, VOCAB, LENGTH, 1e-5, 10000, false, false, false, tied);
      this.exits = exits;
    }

    private static PretrainExits exits(boolean shared) {
      List<ExitSpec> specs =
          List.of(
              new ExitSpec(1, ExitArchitecture.MLP, true),
              new ExitSpec(2, ExitArchitecture.NORM, !shared),
              new ExitSpec(3, ExitArchitecture.LAYER, !shared));
      return PretrainExits.of(specs, Map.of(2, 0.5), 0.25, 0.1, 3, Schedule.Decay.COSINE);
    }

    PretrainOptions options() {
      return new PretrainOptions(
          MICRO,
          GLOBAL,
          new Schedule(1e-2, 1e-3, 2, STEPS, Schedule.Decay.COSINE),
          AdamW.Options.DEFAULT,
          5,
          exits);
    }
  }

  /** How a run ended. */
  private record Result(String sha256, TrainLoop.Outcome outcome) {}

  @BeforeAll
  static void trainAlone() throws Exception {
    for (Model model : Model.values()) {
      Result result = run(model, shared.resolve(model.name()), Mesh.single(), usual(), STEPS);
      result
          .outcome
          .history()
          .losses()
          .forEach((exit, losses) -> assertThat(losses).as(exit).doesNotHaveDuplicates());
      ALONE.put(model, result);
    }
  }

  private static PretrainLayout usual() {
    return PretrainLayout.USUAL;
  }

  private static Mesh mesh(int dp, int pp) {
    return new Mesh(1, 1, dp, pp);
  }

  private static Result run(Model model, Path out, Mesh mesh, PretrainLayout layout, int stopAt)
      throws Exception {
    return run(model, out, mesh, layout, stopAt, false);
  }

  private static Result run(
      Model model, Path out, Mesh mesh, PretrainLayout layout, int stopAt, boolean sequence)
      throws Exception {
    List<TrainLoop.Outcome> outcomes =
        TinyTuning.ranks(
            mesh,
            TinyTuning.Joining.THREADS,
            team -> rank(model, out, team, layout, stopAt, sequence));
    if (!outcomes.getFirst().finished()) {
      return new Result("", outcomes.getFirst());
    }
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("finished")) {
      PretrainModel finished =
          PretrainModel.finished(out, model.config, model.exits, arena, device.kernels());
      Sha256 sha = new Sha256();
      finished.parameters().values().forEach(t -> sha.update(t.span()));
      return new Result(sha.hex(), outcomes.getFirst());
    }
  }

  private static TrainLoop.Outcome rank(
      Model model, Path out, Team team, PretrainLayout layout, int stopAt, boolean sequence) {
    try (team;
        Device device = Device.cpu(1);
        Pretrainer trainer =
            new Pretrainer(
                model.config,
                model.options(),
                TinyTuning.counting(VOCAB, LENGTH, 7),
                device,
                team.shares().map(group -> new ShareBuilder(group, sequence)),
                team,
                layout,
                t -> {})) {
      StopAfter stop = new StopAfter(stopAt);
      LoopOptions loop = new LoopOptions(out, STEPS, 2, 3);
      return new TrainLoop(trainer, loop, device.kernels(), team, stop, stop).run();
    } catch (RuntimeException e) {
      team.abort(e.getMessage());
      throw e;
    }
  }

  private static void assertSame(Model model, Result result) {
    Result alone = ALONE.get(model);
    assertThat(result.outcome.finished()).isTrue();
    assertThat(result.outcome.history().losses()).isEqualTo(alone.outcome.history().losses());
    assertThat(result.outcome.history().validations())
        .isEqualTo(alone.outcome.history().validations());
    assertThat(result.sha256).isEqualTo(alone.sha256);
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
    "UNTIED, 2, 2, GPIPE, 1"
  })
  void everyLayoutAndScheduleGivesTheBitsOfOneRank(
      Model model, int dp, int pp, TrainingSchedule schedule, int chunks) throws Exception {
    assertSame(model, run(model, out, mesh(dp, pp), new PretrainLayout(schedule, chunks), STEPS));
  }

  /** Stages whose weights are shared out add in another order, the same in every run. */
  @ParameterizedTest
  @CsvSource({"PLAIN, 2, 1, 2, false", "TIED, 2, 1, 2, true", "TIED, 2, 2, 2, false"})
  void stagesThatShareWeightsLearnTheSameButForRounding(
      Model model, int tp, int dp, int pp, boolean sequence) throws Exception {
    Mesh mesh = new Mesh(tp, 1, dp, pp);
    Result once = run(model, out.resolve("once"), mesh, usual(), STEPS, sequence);
    Result again = run(model, out.resolve("again"), mesh, usual(), STEPS, sequence);
    assertThat(once.sha256).isEqualTo(again.sha256);
    ALONE
        .get(model)
        .outcome
        .history()
        .losses()
        .forEach(
            (name, losses) -> {
              List<Double> here = once.outcome.history().losses().get(name);
              for (int i = 0; i < STEPS; i++) {
                assertThat(here.get(i))
                    .as("loss %s of step %d", name, i)
                    .isCloseTo(losses.get(i), within(1e-5 * losses.get(i)));
              }
            });
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void aRunThatWasStoppedGoesOnUnderAnotherLayout(Model model) throws Exception {
    assertThat(run(model, out, mesh(1, 3), usual(), 1).outcome.finished()).isFalse();
    PretrainLayout interleaved = new PretrainLayout(TrainingSchedule.INTERLEAVED, 2);
    assertThat(run(model, out, mesh(2, 2), interleaved, 2).outcome.finished()).isFalse();
    assertThat(run(model, out, mesh(4, 1), usual(), 3).outcome.finished()).isFalse();
    assertSame(model, run(model, out, Mesh.single(), usual(), STEPS));
  }

  @Test
  void theNewestWholeCheckpointIsTakenByAllRanks() throws Exception {
    run(Model.TIED, out, mesh(2, 2), usual(), 3);
    Path newest = out.resolve("checkpoints/step-000003/state-00002-of-00002.safetensors");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 4;
    Files.write(newest, bytes);
    assertSame(Model.TIED, run(Model.TIED, out, mesh(2, 2), usual(), STEPS));
  }

  @Test
  void whatCannotBeSharedOutIsRefusedWithTheNumbers() {
    assertThatThrownBy(() -> run(Model.PLAIN, out, mesh(3, 1), usual(), STEPS))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--dp 3 does not divide the 4 micro-batches")
        .hasMessageContaining("multiple of 6");
    assertThatThrownBy(() -> run(Model.PLAIN, out, mesh(1, 5), usual(), STEPS))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 5 is more than the 4 layers");
    PretrainLayout interleaved = new PretrainLayout(TrainingSchedule.INTERLEAVED, 2);
    assertThatThrownBy(() -> run(Model.PLAIN, out, mesh(1, 3), interleaved, STEPS))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 3 needs a multiple of 3 micro-batches")
        .hasMessageContaining("there are 4");
    assertThatThrownBy(() -> run(Model.PLAIN, out, mesh(1, 4), interleaved, STEPS))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--pp 4 times --chunks 2 is more than the 4 layers");
    assertThatThrownBy(() -> new PretrainLayout(TrainingSchedule.GPIPE, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--chunks 2 is for --schedule interleaved");
  }
}

package dev.sortie.eetuning.train.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.TinyRanks;
import dev.sortie.eetuning.train.TinyTuning;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code pretrain --dry-run} prints is what a run takes. */
@Tag("any-kernels")
class PretrainMemoryContractTest {
  private static final int LAYERS = 6;
  private static final int TOKENS = 64;
  private static final int MICRO = 8;

  private static DecoderConfig config(boolean tied) {
    return new DecoderConfig(
        LAYERS, 64, 4, 2, 16, 176, 600, TOKENS, 1e-5, 1e4, false, false, false, tied);
  }

  private static PretrainOptions options(PretrainExits exits, double dropout) {
    Schedule schedule = new Schedule(1e-3, 1e-3, 0, 10, Schedule.Decay.CONSTANT);
    return new PretrainOptions(MICRO, 4 * MICRO, schedule, AdamW.Options.DEFAULT, 1)
        .withExits(exits)
        .withDropout(dropout);
  }

  private static PretrainExits exits(ExitArchitecture architecture, boolean own) {
    List<ExitSpec> specs = Stream.of(2, 4).map(d -> new ExitSpec(d, architecture, own)).toList();
    return PretrainExits.of(specs, Map.of(), 0.25, 1, 0, Schedule.Decay.LINEAR);
  }

  private record Case(
      DecoderConfig config,
      PretrainOptions options,
      Mesh mesh,
      PretrainLayout layout,
      boolean sequence) {
    /** What each rank has taken after two steps. */
    List<RankMemory> measured() throws Exception {
      return TinyRanks.run(mesh, TinyRanks.Joining.THREADS, this::measured);
    }

    private RankMemory measured(ProcessGroups groups) {
      RowsSource data = TinyTuning.counting(config.vocab(), TOKENS, 1);
      try (groups;
          Device device = Device.cpu(1);
          Pretrainer trainer =
              new Pretrainer(
                  config, options, data, device, PretrainPlacement.on(groups, sequence, layout))) {
        trainer.step(0);
        trainer.step(1);
        RankMemory memory = trainer.memory(true);
        assertThat(memory.activations()).isEqualTo(trainer.workspaceBytes());
        return memory;
      }
    }

    void check() throws Exception {
      PretrainDryRun plan =
          new PretrainDryRun(
              config, options, TOKENS, mesh, layout, StageSplit.COUNTED, sequence, true);
      List<RankMemory> measured = measured();
      for (int rank = 0; rank < mesh.world(); rank++) {
        assertThat(plan.of(mesh.coordinates(new GlobalRank(rank))))
            .as("rank %d of %s", rank, mesh)
            .isEqualTo(measured.get(rank));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "true, NORM, false, 0",
    "true, MLP, true, 0",
    "true, MLP, true, 0.1",
    "true, LAYER, false, 0",
    "false, EMBEDDING, false, 0",
    "false, LAYER, true, 0"
  })
  void ofOneRank(boolean tied, ExitArchitecture architecture, boolean own, double dropout)
      throws Exception {
    PretrainOptions options = options(exits(architecture, own), dropout);
    new Case(config(tied), options, Mesh.single(), PretrainLayout.USUAL, false).check();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 2, 2, ONE_FORWARD_ONE_BACKWARD, 1, false, 0",
    "1, 1, 2, GPIPE, 1, false, 0",
    "1, 1, 2, INTERLEAVED, 2, false, 0",
    "2, 1, 1, ONE_FORWARD_ONE_BACKWARD, 1, false, 0",
    "2, 2, 1, ONE_FORWARD_ONE_BACKWARD, 1, true, 0",
    "2, 1, 2, ONE_FORWARD_ONE_BACKWARD, 1, true, 0.1"
  })
  void ofEachOfSeveralRanks(
      int tp,
      int dp,
      int pp,
      TrainingSchedule schedule,
      int chunks,
      boolean sequence,
      double dropout)
      throws Exception {
    PretrainOptions options = options(exits(ExitArchitecture.MLP, false), dropout);
    PretrainLayout layout = new PretrainLayout(schedule, chunks);
    new Case(config(true), options, new Mesh(tp, dp, pp), layout, sequence).check();
  }

  /** A dry run reserves what the model would take and touches hardly any of it. */
  @Test
  void aModelLargerThanTheMachineIsPlannedInLittleMemory() throws IOException {
    Path status = Path.of("/proc/self/status");
    assumeTrue(Files.exists(status), "resident memory is read from /proc");
    DecoderConfig large =
        new DecoderConfig(
            32, 4096, 32, 8, 128, 11008, 32000, 1024, 1e-5, 1e4, false, false, false, false);
    Schedule schedule = new Schedule(1e-3, 1e-3, 0, 10, Schedule.Decay.CONSTANT);
    PretrainOptions options = new PretrainOptions(1, 4, schedule, AdamW.Options.DEFAULT, 1);
    Mesh mesh = new Mesh(1, 1, 2);
    PretrainDryRun plan =
        new PretrainDryRun(
            large, options, 1024, mesh, PretrainLayout.USUAL, StageSplit.COUNTED, false, false);
    long before = peakKib(status);
    RankMemory planned = plan.of(new Coordinates(0, 0, 1));
    long parameters = 16L * (4096L * (2 * 4096 + 2 * 1024 + 3 * 11008)) + 32000L * 4096;
    assertThat(planned.weights() + planned.optimizer()).isGreaterThan(4 * 4 * parameters);
    assertThat(peakKib(status) - before).isLessThan(512 << 10);
  }

  private static long peakKib(Path status) throws IOException {
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }
}

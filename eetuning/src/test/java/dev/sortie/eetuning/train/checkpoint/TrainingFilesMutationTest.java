package dev.sortie.eetuning.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.LearnThenTest;
import dev.sortie.eetuning.calibrate.MeanTest;
import dev.sortie.eetuning.calibrate.Risk;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.mutation.MutationRun;
import dev.sortie.mutation.Subject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints, exits and thresholds with random damage are read or refused in one line. */
@Tag("any-kernels")
class TrainingFilesMutationTest {
  private static final int STEP = 3;
  private static final String SHARD = "state.safetensors";

  @TempDir private Path temp;

  private final Device device = Device.cpu(1);
  private final NativeArena arena = new NativeArena("damaged training files");
  private LanguageModel model;
  private Path exits;
  private Path checkpoint;
  private Path thresholds;

  @BeforeEach
  void writeRightFiles() throws IOException {
    model = LanguageModel.load(TinyModel.write(temp.resolve("model"), 1), Precision.F32, device);
    exits = temp.resolve("exits");
    List<Exit> two =
        List.of(exit(2, ExitArchitecture.LAYER, true), exit(1, ExitArchitecture.MLP, false));
    ExitsFile.write(exits, new Exits(model.sha256(), Map.of("steps", 7L), two), model);
    checkpoint = Files.createDirectory(temp.resolve("checkpoint"));
    Tensor weights = Tensor.allocate(arena, DType.F32, Shape.of(7, 6));
    ShardWriter.write(checkpoint.resolve(SHARD), Map.of("w", ShardedTensor.all(weights)), () -> {});
    LossHistory history = new LossHistory(List.of("1", "2"));
    for (int step = 1; step <= STEP; step++) {
      history.add(Map.of("1", 2.5 / step, "2", 2.0 / step));
    }
    history.addValidation(STEP, Map.of("1", 1.5, "2", 1.0));
    Checkpoint.write(
        checkpoint,
        Checkpoint.describe(STEP, Map.of("seed", 1L, "data", "ab"), history),
        Map.of(SHARD, "0".repeat(64)));
    thresholds = temp.resolve("thresholds.json");
    ThresholdsFile.write(
        thresholds,
        new Calibrated(
            "ab",
            "bf16",
            "exact",
            512,
            new TreeMap<>(Map.of(4, 0.9, 8, 1.0)),
            new Calibrated.Promise(
                Risk.NLL,
                new LearnThenTest(0.05, 0.95, MeanTest.BETTING),
                100,
                4000,
                0.02,
                0.03,
                0.4,
                1.5,
                List.of("text.txt"))));
  }

  @AfterEach
  void close() {
    model.close();
    arena.close();
    device.close();
  }

  private Exit exit(int depth, ExitArchitecture architecture, boolean ownHead) {
    return ExitInit.RANDOM.build(
        new ExitSpec(depth, architecture, ownHead), model.decoder(), 5, arena, device.kernels());
  }

  /** Writes the damaged file in the place of the right one, which comes back afterwards. */
  private Subject subject(Path file, Runnable reading) throws IOException {
    byte[] right = Files.readAllBytes(file);
    return new Subject(
        file.getFileName().toString(),
        List.of(right),
        bytes -> {
          Files.write(file, bytes);
          try {
            reading.run();
          } finally {
            Files.write(file, right);
          }
        });
  }

  private void readExits() {
    try (NativeArena own = new NativeArena("exits")) {
      ExitsReader.of(model).read(exits, own, device.kernels());
    }
  }

  private void readShard() {
    try (NativeArena own = new NativeArena("shard");
        ShardReader shards = new ShardReader(checkpoint, List.of(SHARD))) {
      Tensor found = Tensor.allocate(own, DType.F32, Shape.of(7, 6));
      shards.restore(Map.of("w", ShardedTensor.all(found)), device.kernels());
    }
  }

  private List<Subject> subjects() throws IOException {
    return List.of(
        subject(
            checkpoint.resolve(Checkpoint.DESCRIPTION), () -> Checkpoint.read(checkpoint, STEP)),
        subject(checkpoint.resolve(SHARD), this::readShard),
        subject(exits.resolve(ExitsFile.DESCRIPTION), this::readExits),
        subject(exits.resolve(ExitsFile.TENSORS), this::readExits),
        subject(thresholds, () -> ThresholdsFile.read(thresholds)));
  }

  private void run(long seed, Duration time, long most) throws IOException {
    MutationRun run =
        new MutationRun(
            subjects(),
            seed,
            Duration.ofSeconds(5),
            Path.of(System.getProperty("sortie.mutation.findings", "target/mutation-findings")));
    run.requireRightFiles();
    run.replay(Path.of("src/test/mutation-corpus"));
    run.run(time, most);
    assertThat(run.findings()).as(run.summary()).isEmpty();
    assertThat(run.fewest()).as("each subject has its cases: %s", run.summary()).isPositive();
    assertThat(run.refused()).isPositive();
  }

  @Test
  void damagedFilesAreReadOrRefused() throws IOException {
    run(1, Duration.ofSeconds(20), 500);
  }

  @Test
  @Tag("nightly")
  void damagedFilesAreReadOrRefusedAllNight() throws IOException {
    run(
        Long.getLong("sortie.mutation.seed", System.nanoTime() >>> 10),
        Duration.ofMillis(
            (long)
                (60_000 * Double.parseDouble(System.getProperty("sortie.mutation.minutes", "10")))),
        Long.MAX_VALUE);
  }
}

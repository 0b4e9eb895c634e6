package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.opencl.OpenClDevices;
import dev.sortie.opencl.OpenClKernels;
import dev.sortie.opencl.OpenClOptions;
import dev.sortie.opencl.OpenClProvider;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fifty steps of EE-Tuning on a device, compared with the CPU's. */
@Tag("slow")
class OpenClTuningTest {
  private static final int STEPS = 50;

  /** Rounding of F32 alone; steps are small enough that it does not grow. */
  private static final double TOLERANCE = 1e-4;

  /** What the host does in training: norms of gradients in F64, and views that broadcast. */
  private static final Set<String> HOST = Set.of("sum", "sumSquares", "addStrided");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"CE, cpu", "KL, cpu", "CE, gpu", "KL, gpu"})
  void lossesAreTheCpus(Objective objective, String preset) throws IOException {
    OpenClDevices found = OpenClDevices.list();
    Assumptions.assumeTrue(!found.devices().isEmpty(), found.reason());
    Path model = folder.resolve("model");
    try (Bench bench = Bench.open(1)) {
      TinyModel.write(model, bench);
    }
    OpenClOptions options = new OpenClOptions(preset, preset.equals("cpu"), Optional.empty());
    try (Device cpu = Device.cpu(2);
        OpenClKernels kernels = OpenClProvider.open(0, cpu.kernels(), options)) {
      List<Map<String, Double>> expected = losses(model, objective, cpu, "cpu");
      Device device = new Device(kernels, cpu.pool());
      List<Map<String, Double>> actual = losses(model, objective, device, "device");
      assertThat(expected).hasSize(STEPS);
      for (int step = 0; step < STEPS; step++) {
        for (String exit : expected.get(step).keySet()) {
          assertThat(actual.get(step).get(exit))
              .as("step %d, exit %s", step, exit)
              .isCloseTo(expected.get(step).get(exit), within(TOLERANCE));
        }
      }
      assertThat(expected.getLast().get("3")).isLessThan(expected.getFirst().get("3"));
      assertThat(kernels.disabled()).isEmpty();
      assertThat(HOST).containsAll(kernels.hostCalls().keySet());
    }
  }

  private List<Map<String, Double>> losses(
      Path path, Objective objective, Device device, String out) {
    TuneOptions options =
        new TuneOptions(
            objective,
            objective == Objective.KL, // weighed by confidence, so that this is met as well
            Map.of(),
            2,
            4,
            new Schedule(1e-3, 1e-4, 3, STEPS, Schedule.Decay.COSINE),
            AdamW.Options.DEFAULT,
            5);
    List<Map<String, Double>> steps = new ArrayList<>();
    try (LanguageModel model = LanguageModel.load(path, Precision.F32, device);
        NativeArena arena = new NativeArena("exits");
        ExitTuner tuner =
            new ExitTuner(
                model,
                new Exits(model.sha256(), Map.of(), exits(model, arena, device)),
                options,
                new RowsSource(rows(), 3, options.seed()),
                device)) {
      new TrainLoop(
              tuner,
              new LoopOptions(folder.resolve(out + objective), STEPS, STEPS, STEPS),
              device.kernels(),
              new TrainLoop.Listener() {
                @Override
                public void resumed(int step) {}

                @Override
                public void step(int done, Map<String, Double> losses, double rate) {
                  steps.add(new TreeMap<>(losses));
                }

                @Override
                public void validated(int done, Map<String, Double> losses) {}
              },
              () -> false)
          .run();
    }
    return steps;
  }

  private static List<Exit> exits(LanguageModel model, NativeArena arena, Device device) {
    List<Exit> exits = new ArrayList<>();
    new TreeMap<>(Map.of(1, ExitArchitecture.MLP, 3, ExitArchitecture.LAYER))
        .forEach(
            (depth, architecture) ->
                exits.add(
                    ExitInit.RANDOM.build(
                        new ExitSpec(depth, architecture, true),
                        model.decoder(),
                        9,
                        arena,
                        device.kernels())));
    return exits;
  }

  private static int[][] rows() {
    Random random = new Random(1, 0);
    int[][] rows = new int[40][17];
    for (int i = 0; i < 40 * 17; i++) {
      rows[i / 17][i % 17] = random.below(i, TinyModel.CONFIG.vocab());
    }
    return rows;
  }
}

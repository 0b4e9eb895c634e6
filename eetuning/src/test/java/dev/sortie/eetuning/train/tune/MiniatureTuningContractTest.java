package dev.sortie.eetuning.train.tune;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.train.ReservedWeights;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Miniature;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.ObservedKernels;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a run calls its miniature has called before, many times. */
class MiniatureTuningContractTest {
  private static final int LENGTH = 24;
  private static final int DRAFT = 40;

  @TempDir private Path temp;

  private static ExitOutline exit(
      int depth, ExitArchitecture architecture, boolean own, int draft) {
    return new ExitOutline(depth, Optional.of(architecture), own, draft);
  }

  static Stream<Arguments> runs() {
    return Stream.of(Objective.values())
        .flatMap(
            o ->
                Stream.of(
                    Arguments.of(o, 4, List.of(exit(1, ExitArchitecture.MLP, true, 0))),
                    Arguments.of(
                        o,
                        8,
                        List.of(
                            exit(1, ExitArchitecture.NORM, true, DRAFT),
                            exit(2, ExitArchitecture.LAYER, false, 0))),
                    Arguments.of(
                        o,
                        4,
                        List.of(
                            exit(1, ExitArchitecture.NORM, false, DRAFT),
                            exit(2, ExitArchitecture.NORM, false, DRAFT),
                            new ExitOutline(3, Optional.empty(), false, DRAFT)))));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void takesTheCodePathsOfTheRun(Objective objective, int globalBatch, List<ExitOutline> exits) {
    TuneOptions options =
        new TuneOptions(
            objective,
            false,
            Map.of(1, 0.5),
            4,
            globalBatch,
            new Schedule(1e-2, 1e-2, 0, 2, Schedule.Decay.CONSTANT),
            AdamW.Options.DEFAULT,
            5);
    Path model = TinyModel.write(temp.resolve("model"), 1);
    Map<String, Integer> whole =
        calls(
            device -> {
              try (LanguageModel m = LanguageModel.load(model, Precision.F32, device);
                  NativeArena arena = new NativeArena("test");
                  ExitTuner tuner =
                      new ExitTuner(
                          m,
                          OutlinedExits.of(exits, m.decoder(), new ReservedWeights(arena), arena),
                          options,
                          new RowsSource(new int[8][LENGTH + 1], 0, 3),
                          device)) {
                tuner.step(0);
              }
            });
    Map<String, Integer> miniature =
        calls(
            device -> {
              try (ModelFiles files = ModelFiles.open(model);
                  NativeArena arena = new NativeArena("test")) {
                new MiniatureTuning(exits, options)
                    .accept(
                        Miniature.of(
                            files.config().decoder(), files.weights(), Precision.F32, arena),
                        device);
              }
            });
    assertThat(whole.keySet()).hasSizeGreaterThan(10);
    Set<String> missing = new TreeSet<>(whole.keySet());
    missing.removeIf(call -> miniature.getOrDefault(call, 0) >= 30);
    assertThat(missing).as("hardly called by the miniature: %s", miniature).isEmpty();
  }

  /** How often each kind of call was carried out. */
  private static Map<String, Integer> calls(Consumer<Device> work) {
    Map<String, Integer> calls = new ConcurrentHashMap<>();
    try (Device cpu = Device.cpu(1)) {
      work.accept(
          new Device(
              new ObservedKernels(
                  cpu.kernels(),
                  (asked, ran, nanos) ->
                      calls.merge(ran.getClass().getSimpleName(), 1, Integer::sum)),
              new WorkerPool(1)));
    }
    return new TreeMap<>(calls);
  }
}

package dev.sortie.eetuning.serve.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ObservedKernels;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine is started with all that requests will run. */
class TextEngineContractTest {
  @TempDir private Path folder;

  /** Whoever comes second, or ninth, does not wait for the compiler. */
  @Test
  void everyNumberOfTextsHasSharedAPassBeforeTheFirstRequest() throws InterruptedException {
    Set<Integer> rows = ConcurrentHashMap.newKeySet();
    try (Device device = Device.cpu(2);
        LanguageModel model =
            LanguageModel.load(
                TinyModel.write(folder, 2, 16, 290, 200, 1), Precision.F32, device)) {
      ObservedKernels kernels =
          new ObservedKernels(
              device.kernels(),
              (asked, _, _) -> {
                if (asked instanceof MatrixCall.Linears l) {
                  rows.add(l.m());
                }
              });
      try (TextEngine engine =
          new TextEngine(
              model,
              Exits.none(),
              new Device(kernels, device.pool()),
              new EngineSettings(Kernels.ROW_STABLE, 0, Kernels.ROW_STABLE * 128))) {
        engine.start();
        assertThat(rows).containsAll(IntStream.rangeClosed(1, Kernels.ROW_STABLE).boxed().toList());
        assertThat(engine.isReady()).isFalse();
        engine.becomeReady();
        assertThat(engine.isReady()).isTrue();
        assertThat(engine.load().freePages()).isEqualTo(engine.pages());
      }
    }
  }
}

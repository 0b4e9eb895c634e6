package dev.sortie.eetuning.serve.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ObservedKernels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine is started with all that requests will run. */
class TextEngineContractTest {
  /** Texts that take more than half a second in all, two at a time. */
  private static final int MANY = 300;

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

  /** More texts than run and wait come one after the other, and all end, whatever happens. */
  @Test
  void textsOfOneRequestTakeTheirTurnsInFewPlaces() throws InterruptedException {
    try (Device device = Device.cpu(2);
        LanguageModel model = small(device);
        TextEngine engine = engine(model, device)) {
      engine.start();
      assertThat(ends(engine.ask(requests(30, 3)), 30)).containsOnly("length");
    }
  }

  @Test
  void manyTextsOfOneRequestEndWhereTheyAreCancelledOrTheEngineIsClosed()
      throws InterruptedException {
    try (Device device = Device.cpu(2);
        LanguageModel model = small(device)) {
      TextEvents texts;
      try (TextEngine engine = engine(model, device)) {
        engine.start();
        texts = engine.ask(requests(MANY, 150));
        texts.cancel();
        assertThat(ends(texts, MANY)).last().isEqualTo("cancelled");
      }
      try (TextEngine engine = engine(model, device)) {
        engine.start();
        texts = engine.ask(requests(MANY, 150));
      }
      assertThat(ends(texts, MANY)).last().isEqualTo("failed");
    }
  }

  private LanguageModel small(Device device) {
    return LanguageModel.load(TinyModel.write(folder, 2, 16, 290, 200, 1), Precision.F32, device);
  }

  private static TextEngine engine(LanguageModel model, Device device) {
    return new TextEngine(model, Exits.none(), device, new EngineSettings(2, 0, 1024));
  }

  private static List<Request> requests(int count, int tokens) {
    GenerateOptions options = new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), true);
    return IntStream.range(0, count)
        .mapToObj(
            i -> new Request(new int[] {i % 290, 1, 2}, options, new MaxProbability(1), 0, t -> {}))
        .toList();
  }

  /** How each of so many texts ended. */
  private static List<String> ends(TextEvents texts, int count) throws InterruptedException {
    Map<Integer, String> ends = new TreeMap<>();
    while (ends.size() < count) {
      TextEvent event = texts.next(Duration.ofSeconds(20)).orElseThrow();
      String before =
          switch (event) {
            case TextEvent.Token _ -> null;
            case TextEvent.End e -> ends.put(e.text(), e.generation().finish());
            case TextEvent.Failure f -> ends.put(f.text(), "failed");
          };
      assertThat(before).as("an earlier end of text %d", event.text()).isNull();
    }
    return List.copyOf(ends.values());
  }
}

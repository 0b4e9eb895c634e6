package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.opencl.OpenClDevices;
import dev.sortie.opencl.OpenClKernels;
import dev.sortie.opencl.OpenClOptions;
import dev.sortie.opencl.OpenClProvider;
import dev.sortie.opencl.TransferCounts;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The whole decoder on a device: the CPU's text, and nothing goes back and forth but ids and
 * logits.
 */
class OpenClDecodingTest {
  private static final String PROMPT = "Once upon a time there was a";

  @BeforeEach
  void needsOpenCl() {
    OpenClDevices found = OpenClDevices.list();
    Assumptions.assumeTrue(!found.devices().isEmpty(), found.reason());
  }

  /** As a processor that shares memory, and as a card with memory of its own. */
  static Stream<OpenClOptions> options() {
    return Stream.of(
        new OpenClOptions("cpu", true, Optional.empty()),
        new OpenClOptions("gpu", false, Optional.empty()));
  }

  @ParameterizedTest
  @MethodSource("options")
  void fableTellsTheStoryThatItTellsOnTheCpu(OpenClOptions options) {
    tellsTheSame(EmbeddedFolder.FABLE.path(), Precision.F32, 40, options);
  }

  @ParameterizedTest
  @MethodSource("options")
  void smolLm2WithItsQuantisedWeightsTellsTheSame(OpenClOptions options) {
    Path folder = Fixture.shared("models/SmolLM2-135M-Instruct");
    Path file = folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
    tellsTheSame(file, Precision.FILE, 12, options);
  }

  private static void tellsTheSame(
      Path path, Precision precision, int count, OpenClOptions options) {
    try (Device cpu = Device.cpu(2);
        OpenClKernels kernels = OpenClProvider.open(0, cpu.kernels(), options)) {
      int[] expected = greedy(path, precision, count, cpu, null);
      Device device = new Device(kernels, cpu.pool());
      assertThat(greedy(path, precision, count, device, kernels)).isEqualTo(expected);
      assertThat(kernels.disabled()).isEmpty();
    }
  }

  /** Greedy ids; with {@code kernels}, what tokens after the first take over is checked too. */
  private static int[] greedy(
      Path path, Precision precision, int count, Device device, OpenClKernels kernels) {
    try (LanguageModel model = LanguageModel.load(path, precision, device)) {
      int[] prompt = model.tokenizer().encode(PROMPT);
      int[] ids = new int[count];
      try (FullDepth strategy = new FullDepth(model.decoder(), prompt.length + count, device)) {
        Step step = strategy.prefill(prompt);
        TransferCounts before = TransferCounts.NONE;
        for (int i = 0; i < count; i++) {
          ids[i] = argmax(step.logits());
          step = strategy.next(ids[i]);
          if (kernels != null && i == 0) {
            before = kernels.transfers();
            assertThat(kernels.hostCalls()).as("after the first token").isEmpty();
          }
        }
        if (kernels != null) {
          TransferCounts since = kernels.transfers().since(before);
          boolean copies = kernels.transfers().toDevice() > 0;
          long tokens = copies ? count - 1 : 0;
          int vocab = model.config().decoder().vocab();
          // an id goes over; logits, the most likely id and the log-sum-exp come back
          assertThat(since)
              .isEqualTo(
                  new TransferCounts(tokens, 4 * tokens, 3 * tokens, tokens * (4L * vocab + 8)));
          assertThat(kernels.hostCalls()).isEmpty();
        }
      }
      return ids;
    }
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}

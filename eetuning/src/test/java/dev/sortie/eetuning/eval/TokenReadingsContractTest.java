package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.eetuning.exit.Gates;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What calibration reads of a text is what decoding sees at the same places. */
class TokenReadingsContractTest {
  @TempDir private static Path shared;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;

  @BeforeAll
  static void open() {
    device = Device.cpu(1);
    arena = new NativeArena("exits");
    model = LanguageModel.load(TinyModel.write(shared.resolve("model"), 1), Precision.F32, device);
  }

  @AfterAll
  static void close() {
    model.close();
    arena.close();
    device.close();
  }

  private static Exit exit(ExitArchitecture architecture, int draftTokens) {
    ExitSpec spec = new ExitSpec(2, architecture, false, draftTokens);
    Exit e = ExitInit.COPY.build(spec, model.decoder(), 1, arena, device.kernels());
    if (draftTokens == 0) {
      return e;
    }
    int width = model.config().decoder().hidden();
    Tensor weight = Tensor.allocate(arena, DType.F32, Shape.of(width));
    device.kernels().fill(weight.span(), 0.1);
    Tensor bias = Tensor.allocate(arena, DType.F32, Shape.of(1));
    device.kernels().fill(bias.span(), 0.5);
    Gate coverage = new Gate(weight, bias, 1e-5, new Gate.Report(1, 0, 0));
    return e.with(new Gates(Optional.empty(), Optional.of(coverage)));
  }

  /** Always leaves, there. */
  private record At(int depth) implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return depth == this.depth;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  @ParameterizedTest
  @CsvSource({"NORM,0", "LAYER,0", "LAYER,100", "MLP,100"})
  void confidencesAndChoicesAreThoseOfDecoding(ExitArchitecture architecture, int draftTokens) {
    check(new Exits("", Map.of(), List.of(exit(architecture, draftTokens))), 0);
  }

  @Test
  void aDraftHeadBehindTheLastLayerIsReadAsItIsDecoded() {
    Exits between = new Exits("", Map.of(), List.of(exit(ExitArchitecture.LAYER, 70)));
    check(FinalDraft.add(between), 1);
  }

  private static void check(Exits exits, int exit) {
    int depth = exits.depths().get(exit);
    int[] ids = model.tokenizer().encode("The fox ran over the hill and the hen sat.");
    int given = 3;
    TokenReadings r = TokenReadings.of(model, exits, device, ids, given);
    assertThat(r.tokens()).isEqualTo(ids.length - given).isLessThanOrEqualTo(EarlyExit.MAX_PENDING);
    try (EarlyExit decoding =
        new EarlyExit(
            model.decoder(), exits, new At(depth), ids.length, EarlyExit.MAX_PENDING, device)) {
      decoding.prefill(Arrays.copyOf(ids, given - 1));
      for (int t = 0; t < r.tokens(); t++) {
        Step step = decoding.next(ids[given - 1 + t]);
        assertThat(step.exit()).isEqualTo(OptionalInt.of(depth));
        assertThat(step.confidence()).isCloseTo(r.exits().get(exit).confidences()[t], within(1e-6));
        assertThat(dev.sortie.eetuning.decode.sampling.Sampler.argmax(step.logits()))
            .isEqualTo(r.exits().get(exit).choices()[t]);
      }
    }
  }
}

package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.parallel.shard.ShardGroup;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real models whose weights several ranks share, against the same on one rank. */
class TensorParallelParityTest {

  /** Sums of two or four parts have another order; the largest logits are around 20. */
  private static final double TOLERANCE = 1e-4;

  /**
   * What a rank finds.
   *
   * @param logits of the last token of the prompt and, where whole sequences are shared out, of all
   * @param ids greedy continuation; empty with sequence parallelism
   * @param bytes copied weights
   */
  private record Found(float[] logits, int[] ids, long bytes) {}

  @ParameterizedTest
  @CsvSource({
    "model.safetensors, 2, false, F32",
    "model.safetensors, 4, false, F32",
    "model.safetensors, 8, false, F32",
    "model.safetensors, 2, true, F32",
    "model.safetensors, 4, true, FILE",
    "stories260K-f32.gguf, 2, false, FILE",
    "stories260K-f32.gguf, 4, false, F32",
  })
  void storiesAreThoseOfOneRank(String file, int ranks, boolean sequence, Precision precision) {
    Path folder = Fixture.shared("models/stories260K");
    Path path = file.endsWith(".gguf") ? folder.resolve(file) : folder;
    int[] prompt = {1, 403, 407, 261, 378, 404, 411, 432};
    Found whole = alone(path, precision, prompt, 100, sequence);
    for (Found part : together(path, precision, prompt, 100, ranks, sequence)) {
      near(whole.logits(), part.logits());
      assertThat(part.ids()).containsExactly(whole.ids());
    }
  }

  /** Nine query heads in three groups: one rank has two groups. */
  @Test
  void aRealModelOnTwoRanksGivesTheIdsOfOne() {
    Path path =
        Fixture.shared("models/SmolLM2-135M-Instruct").resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
    int[] prompt = {1, 504, 3575, 282, 4649, 314, 260, 2644, 1594, 30};
    Found whole = alone(path, Precision.F32, prompt, 12, false);
    List<Found> parts = together(path, Precision.F32, prompt, 12, 2, false);
    for (Found part : parts) {
      near(whole.logits(), part.logits());
      assertThat(part.ids()).containsExactly(whole.ids());
    }
    // the rank with two of three groups has two thirds of the attention, a quarter of a layer
    assertThat(parts.getFirst().bytes()).isLessThan((long) (0.55 * whole.bytes()));
    assertThat(parts.getLast().bytes()).isLessThan((long) (0.5 * whole.bytes()));
  }

  private static Found alone(
      Path path, Precision precision, int[] prompt, int count, boolean sequence) {
    return find(path, precision, DecoderBuilder.WHOLE, prompt, count, sequence);
  }

  private static List<Found> together(
      Path path, Precision precision, int[] prompt, int count, int ranks, boolean sequence) {
    return ThreadRanks.run(
        ranks,
        CommOptions.defaults(),
        communicator -> {
          ShardGroup group = new ShardGroup(communicator);
          DecoderBuilder builder = new ShardBuilder(group, sequence);
          return find(path, precision, builder, prompt, count, sequence);
        });
  }

  private static Found find(
      Path path,
      Precision precision,
      DecoderBuilder builder,
      int[] prompt,
      int count,
      boolean sequence) {
    try (Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        LanguageModel m = LanguageModel.load(ModelFiles.open(path), precision, device, builder)) {
      float[] logits =
          NoGrad.call(
              () -> {
                Ops ops = new Ops(device, workspace);
                Tensor ids = Tensor.ids(workspace, Shape.of(1, prompt.length), prompt);
                return m.decoder().forward(ops, ids).toFloats();
              });
      return new Found(logits, sequence ? new int[0] : greedy(m, prompt, count, device), m.bytes());
    }
  }

  private static int[] greedy(LanguageModel m, int[] prompt, int count, Device device) {
    GenerateOptions options = new GenerateOptions(count, SamplingOptions.GREEDY, List.of(), true);
    int vocab = m.config().decoder().vocab();
    try (DecodingStrategy s = new FullDepth(m.decoder(), prompt.length + count, device)) {
      return new Generator(s, m.tokenizer(), m.config().eos(), vocab)
          .run(prompt, options, token -> {}).tokens().stream()
              .mapToInt(GeneratedToken::id)
              .toArray();
    }
  }

  private static void near(float[] expected, float[] found) {
    assertThat(found).hasSameSizeAs(expected);
    double largest = 0;
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      worst = Math.max(worst, Math.abs((double) expected[i] - found[i]));
    }
    assertThat(Double.isFinite(worst) && !Arrays.equals(expected, new float[expected.length]))
        .isTrue();
    assertThat(worst / largest).isLessThan(TOLERANCE);
  }
}

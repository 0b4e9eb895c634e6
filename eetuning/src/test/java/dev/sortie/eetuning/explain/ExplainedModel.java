package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelConverter;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A tiny model with an exit of each architecture, and texts that it writes. */
final class ExplainedModel implements AutoCloseable {
  static final int LAYERS = 6;
  static final int CONTEXT = 320;
  static final int[] PROMPT = {11, 22, 33, 22, 33, 22};
  static final List<Integer> DEPTHS = List.of(1, 2, 3, 4, 6);

  private final Device opened = Device.cpu(2);
  private final NativeArena arena = new NativeArena("exits");
  private final LanguageModel model;
  private final Exits exits;

  /** With weights in F32. */
  static ExplainedModel inF32(Path folder) {
    return new ExplainedModel(written(folder), Arithmetic.EXACT);
  }

  /** With weights in blocks, multiplied in integers. */
  static ExplainedModel inIntegers(Path folder) {
    Path blocks = folder.resolve("model.gguf");
    try (Device device = Device.cpu(1);
        ModelFiles files = ModelFiles.open(written(folder))) {
      ModelConverter.toGguf(files, blocks, DType.Q4_1, device.kernels(), (tensor, done, all) -> {});
    }
    return new ExplainedModel(blocks, Arithmetic.INTEGER);
  }

  private static Path written(Path folder) {
    return TinyModel.write(folder.resolve("model"), LAYERS, 32, 290, CONTEXT, 4);
  }

  private ExplainedModel(Path files, Arithmetic arithmetic) {
    model = LanguageModel.load(files, Precision.FILE, arithmetic, opened);
    exits =
        FinalDraft.add(
            new Exits(
                model.sha256(),
                Map.of(),
                Stream.of(
                        new ExitSpec(1, ExitArchitecture.EMBEDDING, false),
                        new ExitSpec(2, ExitArchitecture.LAYER, false, 60),
                        new ExitSpec(3, ExitArchitecture.MLP, true),
                        new ExitSpec(4, ExitArchitecture.NORM, true))
                    .map(this::built)
                    .toList()));
  }

  private Exit built(ExitSpec spec) {
    return ExitInit.COPY.build(spec, model.decoder(), 0, arena, model.device().kernels());
  }

  LanguageModel model() {
    return model;
  }

  Exits exits() {
    return exits;
  }

  static GenerateOptions options(int tokens) {
    return new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), true);
  }

  /** What {@code generate} tells of each token. */
  List<GeneratedToken> text(ExitPolicy policy, int[] prompt, int tokens) {
    Strategy way = new Strategy.AtExits(exits, policy, EarlyExit.MAX_PENDING, true);
    try (DecodingStrategy text =
        way.begin(model.decoder(), prompt.length + tokens, model.device())) {
      return new Generator(text, model.tokenizer(), List.of(), model.config().decoder().vocab())
          .run(prompt, options(tokens), t -> {})
          .tokens();
    }
  }

  Explanation explain(ExitPolicy policy, int[] prompt, int number) throws InterruptedException {
    return new TokenExplainer(model, exits, policy, EarlyExit.MAX_PENDING, List.of())
        .explain(prompt, number, options(1), Supplier::get);
  }

  /** A policy that takes a share of the answers, by their bits, at all exits alike. */
  record ByBits(int percent) implements ExitPolicy {
    @Override
    public double confidence(ExitEvidence evidence) {
      return evidence.maxProbability();
    }

    @Override
    public boolean exits(int depth, double confidence) {
      long bits = Double.doubleToLongBits(confidence) * 0x9e3779b97f4a7c15L;
      return Long.remainderUnsigned(bits >>> 32, 100) < percent;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  @Override
  public void close() {
    model.close();
    arena.close();
    opened.close();
  }
}

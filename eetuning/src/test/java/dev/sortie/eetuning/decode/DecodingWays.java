package dev.sortie.eetuning.decode;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.BatchSequence;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.decode.pipeline.PipelinedDecoder;
import dev.sortie.eetuning.decode.pipeline.StageLinks;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.decode.speculative.Speculative;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.exit.NgramTable;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelConverter;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** All ways of decoding, on one tiny model with exits: for tests of what each of them promises. */
final class DecodingWays implements AutoCloseable {
  static final int CONTEXT = 160;
  static final int[] PROMPT = {11, 22, 33, 22, 33, 22};

  private static final int LAYERS = 5;
  private static final ExitPolicy POLICY = new ByBits(35);

  private final Path folder;
  private final Arithmetic arithmetic;
  private final Device opened;
  private final Device device;
  private final LanguageModel model;
  private final NativeArena arena;
  private final Exits exits;

  /** The ways; those with exits write one text, those without another, whoever does it. */
  enum Way {
    FULL_DEPTH(false),
    NO_EXIT_TAKEN(false),
    PROMPT_LOOKUP(false),
    EARLY_EXIT_DRAFT(false),
    LOOKAHEAD_DRAFT(false),
    ALL_DRAFTS(false),
    BATCH_AT_FULL_DEPTH(false),
    BATCH_WITH_DRAFTS_AT_FULL_DEPTH(false),
    PIPELINE_AT_FULL_DEPTH(false),
    EARLY_EXIT(true),
    EARLY_EXIT_WITH_DRAFTS(true),
    BATCH(true),
    BATCH_WITH_DRAFTS(true),
    PIPELINE(true);

    private final boolean early;

    Way(boolean early) {
      this.early = early;
    }

    /** Whether it may answer at exits. */
    boolean leavesEarly() {
      return early;
    }

    /** Whether it is a {@link DecodingStrategy}: a pipeline of ranks writes whole texts. */
    boolean isStrategy() {
      return this != PIPELINE && this != PIPELINE_AT_FULL_DEPTH;
    }

    /** The plainest way that writes the same. */
    Way reference() {
      return early ? EARLY_EXIT : FULL_DEPTH;
    }

    /** Those that are strategies, for {@code MethodSource}. */
    static Stream<Way> strategies() {
      return Arrays.stream(values()).filter(Way::isStrategy);
    }
  }

  /** With a model in F32, which it makes below {@code folder}. */
  DecodingWays(Path folder) {
    this(
        folder,
        TinyModel.write(folder.resolve("model"), LAYERS, 16, 290, CONTEXT, 1),
        Arithmetic.EXACT);
  }

  /** With a model in blocks, whose products are computed in integers. */
  static DecodingWays inIntegers(Path folder) {
    Path wide = TinyModel.write(folder.resolve("wide"), LAYERS, 32, 290, CONTEXT, 2);
    Path blocks = folder.resolve("model.gguf");
    try (Device device = Device.cpu(1);
        ModelFiles files = ModelFiles.open(wide)) {
      ModelConverter.toGguf(files, blocks, DType.Q4_1, device.kernels(), (tensor, done, all) -> {});
    }
    return new DecodingWays(folder, blocks, Arithmetic.INTEGER);
  }

  private DecodingWays(Path folder, Path files, Arithmetic arithmetic) {
    this.folder = folder;
    this.arithmetic = arithmetic;
    opened = Device.cpu(2);
    model = LanguageModel.load(files, Precision.FILE, arithmetic, opened);
    device = model.device();
    arena = new NativeArena("exits");
    Exits built =
        new Exits(
            model.sha256(),
            List.of(),
            Map.of(),
            Stream.of(
                    new ExitSpec(1, ExitArchitecture.NORM, true),
                    new ExitSpec(2, ExitArchitecture.LAYER, false, 60),
                    new ExitSpec(3, ExitArchitecture.MLP, true),
                    new ExitSpec(4, ExitArchitecture.LAYER, true))
                .map(s -> ExitInit.COPY.build(s, model.decoder(), 0, arena, device.kernels()))
                .toList(),
            Optional.of(
                ExitInit.RANDOM.lookahead(
                    List.of(), false, 200, model.decoder(), 3, arena, device.kernels())),
            Optional.of(
                NgramTable.count(
                    new Random(2).ints(5000, 0, model.config().decoder().vocab()).toArray())));
    ExitsFile.write(folder.resolve("exits"), built, model);
    exits = ExitsReader.of(model).read(folder.resolve("exits"), arena, device.kernels());
  }

  /** The arithmetic that is in use. */
  Arithmetic arithmetic() {
    return model.arithmetic();
  }

  /** A grammar over the model's tokens. */
  TokenGrammar grammar(String gbnf, List<Integer> ends) {
    return new TokenGrammar(
        Gbnf.read("grammar", gbnf),
        new TokenVocabulary(model.tokenizer(), model.config().decoder().vocab(), ends));
  }

  /** Depths of the exits. */
  List<Integer> depths() {
    return exits.depths();
  }

  DecodingStrategy open(Way way, int capacity) {
    return switch (way) {
      case FULL_DEPTH -> new FullDepth(model.decoder(), capacity, device);
      case NO_EXIT_TAKEN ->
          new EarlyExit(model.decoder(), exits, new ByBits(0), capacity, 15, device);
      case PROMPT_LOOKUP -> speculative(capacity, "prompt-lookup");
      case EARLY_EXIT_DRAFT -> speculative(capacity, "early-exit");
      case LOOKAHEAD_DRAFT -> speculative(capacity, "lookahead");
      case ALL_DRAFTS ->
          speculative(capacity, "prompt-lookup", "ngrams", "lookahead", "early-exit");
      case EARLY_EXIT -> new EarlyExit(model.decoder(), exits, POLICY, capacity, 15, device);
      case EARLY_EXIT_WITH_DRAFTS ->
          new EarlyExit(
              model.decoder(),
              exits,
              POLICY,
              capacity,
              15,
              DraftSources.free(exits, capacity),
              device);
      case BATCH_AT_FULL_DEPTH -> new InCompany(new MaxProbability(1), capacity, Drafter.NONE);
      case BATCH_WITH_DRAFTS_AT_FULL_DEPTH ->
          new InCompany(new MaxProbability(1), capacity, DraftSources.free(exits, capacity));
      case BATCH -> new InCompany(POLICY, capacity, Drafter.NONE);
      case BATCH_WITH_DRAFTS -> new InCompany(POLICY, capacity, DraftSources.free(exits, capacity));
      case PIPELINE, PIPELINE_AT_FULL_DEPTH -> throw new IllegalStateException(way.name());
    };
  }

  private DecodingStrategy speculative(int capacity, String... words) {
    return new Speculative(
        model.decoder(),
        DraftSources.of(List.of(words), model.decoder(), exits, OptionalDouble.of(0), capacity),
        capacity,
        device);
  }

  Generation write(Way way, int[] prompt, GenerateOptions options, List<Integer> ends) {
    return way.isStrategy()
        ? write(way, prompt, options, ends, () -> false)
        : pipeline(way.early ? POLICY : new ByBits(0), prompt, options, ends);
  }

  Generation write(
      Way way, int[] prompt, GenerateOptions options, List<Integer> ends, BooleanSupplier cancel) {
    try (DecodingStrategy s = open(way, prompt.length + options.maxTokens())) {
      return write(s, prompt, options, ends, cancel);
    }
  }

  Generation write(
      DecodingStrategy s,
      int[] prompt,
      GenerateOptions options,
      List<Integer> ends,
      BooleanSupplier cancel) {
    return new Generator(s, model.tokenizer(), ends, model.config().decoder().vocab())
        .run(prompt, options, t -> {}, cancel);
  }

  /**
   * Leaves by the last bits of confidences, at a share of all exits: decides alike everywhere, and
   * only where the bits are the same.
   */
  private record ByBits(int percent) implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return (Double.doubleToRawLongBits(confidence) >>> 7) % 100 < percent;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  /**
   * A text in a batch; two others, which come and go, share its passes. One that drafts is alone
   * for a while now and then.
   */
  private final class InCompany implements DecodingStrategy {
    private final BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device);
    private final BatchSequence text;
    private final List<BatchSequence> others = new ArrayList<>();
    private final boolean drafts;

    InCompany(ExitPolicy policy, int capacity, Drafter drafter) {
      drafts = drafter.most() > 0;
      text = decoder.open(policy, capacity, 15, drafter);
      for (int i = 0; i < 2; i++) {
        others.add(decoder.open(new ByBits(20 + 40 * i), CONTEXT, 15));
        decoder.prefill(others.get(i), new int[] {7 + i, 8, 9});
      }
    }

    @Override
    public Step prefill(int[] prompt) {
      return decoder.prefill(text, prompt);
    }

    @Override
    public Step next(int token) {
      if (drafts && text.position() % 16 < 11) {
        return decoder.next(List.of(text), new int[] {token}).getFirst();
      }
      others.stream().filter(o -> o.position() == CONTEXT).forEach(o -> o.rewind(3));
      boolean between = text.position() % 2 == 0;
      List<BatchSequence> all =
          between ? List.of(others.get(0), text, others.get(1)) : List.of(text, others.get(1));
      int[] tokens = between ? new int[] {20, token, 21} : new int[] {token, 22};
      return decoder.next(all, tokens).get(all.indexOf(text));
    }

    @Override
    public int position() {
      return text.position();
    }

    @Override
    public void rewind(int count) {
      text.rewind(count);
    }

    @Override
    public void close() {
      others.forEach(BatchSequence::close);
      text.close();
      decoder.close();
    }
  }

  private Generation pipeline(
      ExitPolicy policy, int[] prompt, GenerateOptions options, List<Integer> ends) {
    Mesh mesh = new Mesh(1, 1, 3);
    return ThreadRanks.run(
            3, CommOptions.defaults(), all -> rank(all, mesh, policy, prompt, options, ends))
        .getFirst()
        .getFirst();
  }

  private List<Generation> rank(
      Communicator all,
      Mesh mesh,
      ExitPolicy policy,
      int[] prompt,
      GenerateOptions options,
      List<Integer> ends) {
    try (StageLinks links = new StageLinks(all, mesh);
        Device own = Device.cpu(1);
        ModelFiles files = ModelFiles.open(model.path())) {
      DecodingStages plan =
          DecodingStages.balanced(
              files.config().decoder(),
              ExitsFile.outlines(folder.resolve("exits"), files.config().decoder()),
              mesh.pp());
      int stage = links.stage();
      try (LanguageModel m =
              LanguageModel.load(
                  files,
                  Precision.FILE,
                  arithmetic,
                  own,
                  DecoderBuilder.part(plan.tensors(stage)));
          NativeArena memory = new NativeArena("exits of a stage")) {
        Exits held =
            ExitsReader.of(m)
                .at(depth -> plan.holds(stage, depth))
                .read(folder.resolve("exits"), memory, own.kernels());
        PipelinedDecoder.Settings settings =
            new PipelinedDecoder.Settings(policy, 15, options, 1, 0);
        return new PipelinedDecoder(m.decoder(), held, plan, links, m.device(), settings)
            .run(List.of(prompt), m.tokenizer(), ends, PipelinedDecoder.Listener.NONE)
            .texts();
      }
    }
  }

  @Override
  public void close() {
    arena.close();
    model.close();
    opened.close();
  }
}

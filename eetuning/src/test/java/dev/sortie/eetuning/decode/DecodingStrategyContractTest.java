package dev.sortie.eetuning.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.BatchSequence;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.decode.pipeline.PipelinedDecoder;
import dev.sortie.eetuning.decode.pipeline.StageLinks;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.decode.speculative.Speculative;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What all ways of decoding promise. */
class DecodingStrategyContractTest {
  private static final int LAYERS = 5;
  private static final int CONTEXT = 160;
  private static final int TOKENS = 60;
  private static final int[] PROMPT = {11, 22, 33, 22, 33, 22};
  private static final ExitPolicy POLICY = new ByBits(35);
  private static final SamplingOptions SAMPLED = new SamplingOptions(0.8, 0, 1, 0, 1.1, 7);

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;
  private static Exits exits;

  /** The ways; those with exits write one text, those without another, whoever does it. */
  enum Way {
    FULL_DEPTH(false),
    NO_EXIT_TAKEN(false),
    PROMPT_LOOKUP(false),
    EARLY_EXIT_DRAFT(false),
    LOOKAHEAD_DRAFT(false),
    ALL_DRAFTS(false),
    BATCH_AT_FULL_DEPTH(false),
    PIPELINE_AT_FULL_DEPTH(false),
    EARLY_EXIT(true),
    EARLY_EXIT_WITH_GUESSES(true),
    BATCH(true),
    PIPELINE(true);

    private final boolean early;

    Way(boolean early) {
      this.early = early;
    }

    /** Whether it is a {@link DecodingStrategy}: a pipeline of ranks writes whole texts. */
    boolean isStrategy() {
      return this != PIPELINE && this != PIPELINE_AT_FULL_DEPTH;
    }

    /** The plainest way that writes the same. */
    Way reference() {
      return early ? EARLY_EXIT : FULL_DEPTH;
    }

    DecodingStrategy open(int capacity) {
      return switch (this) {
        case FULL_DEPTH -> new FullDepth(model.decoder(), capacity, device);
        case NO_EXIT_TAKEN ->
            new EarlyExit(model.decoder(), exits, new ByBits(0), capacity, 15, device);
        case PROMPT_LOOKUP -> speculative(capacity, "prompt-lookup");
        case EARLY_EXIT_DRAFT -> speculative(capacity, "early-exit");
        case LOOKAHEAD_DRAFT -> speculative(capacity, "lookahead");
        case ALL_DRAFTS -> speculative(capacity, "prompt-lookup", "lookahead", "early-exit");
        case EARLY_EXIT -> new EarlyExit(model.decoder(), exits, POLICY, capacity, 15, device);
        case EARLY_EXIT_WITH_GUESSES ->
            new EarlyExit(
                model.decoder(), exits, POLICY, capacity, 15, DraftSources.free(capacity), device);
        case BATCH_AT_FULL_DEPTH -> new InCompany(new MaxProbability(1), capacity);
        case BATCH -> new InCompany(POLICY, capacity);
        case PIPELINE, PIPELINE_AT_FULL_DEPTH -> throw new IllegalStateException(name());
      };
    }

    Generation write(int[] prompt, GenerateOptions options, List<Integer> ends) {
      return isStrategy()
          ? write(prompt, options, ends, () -> false)
          : pipeline(early ? POLICY : new ByBits(0), prompt, options, ends);
    }

    Generation write(
        int[] prompt, GenerateOptions options, List<Integer> ends, BooleanSupplier cancelled) {
      try (DecodingStrategy s = open(prompt.length + options.maxTokens())) {
        return write(s, prompt, options, ends, cancelled);
      }
    }

    private static Generation write(
        DecodingStrategy s,
        int[] prompt,
        GenerateOptions options,
        List<Integer> ends,
        BooleanSupplier cancelled) {
      return new Generator(s, model.tokenizer(), ends, model.config().decoder().vocab())
          .run(prompt, options, t -> {}, cancelled);
    }
  }

  static Stream<Way> strategies() {
    return Arrays.stream(Way.values()).filter(Way::isStrategy);
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

  private static DecodingStrategy speculative(int capacity, String... words) {
    return new Speculative(
        model.decoder(),
        DraftSources.of(List.of(words), model.decoder(), exits, OptionalDouble.of(0), capacity),
        capacity,
        device);
  }

  /** A text in a batch; two others, which come and go, share its passes. */
  private static final class InCompany implements DecodingStrategy {
    private final BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device);
    private final BatchSequence text;
    private final List<BatchSequence> others = new ArrayList<>();

    InCompany(ExitPolicy policy, int capacity) {
      text = decoder.open(policy, capacity, 15);
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

  private static Generation pipeline(
      ExitPolicy policy, int[] prompt, GenerateOptions options, List<Integer> ends) {
    Mesh mesh = new Mesh(1, 1, 3);
    return ThreadRanks.run(
            3, CommOptions.defaults(), all -> rank(all, mesh, policy, prompt, options, ends))
        .getFirst()
        .getFirst();
  }

  private static List<Generation> rank(
      Communicator all,
      Mesh mesh,
      ExitPolicy policy,
      int[] prompt,
      GenerateOptions options,
      List<Integer> ends) {
    try (StageLinks links = new StageLinks(all, mesh);
        Device own = Device.cpu(1);
        ModelFiles files = ModelFiles.open(folder.resolve("model"))) {
      DecodingStages plan =
          DecodingStages.balanced(
              files.config().decoder(),
              ExitsFile.outlines(folder.resolve("exits"), files.config().decoder()),
              mesh.pp());
      int stage = links.stage();
      try (LanguageModel m =
              LanguageModel.load(
                  files, Precision.F32, own, DecoderBuilder.part(plan.tensors(stage)));
          NativeArena memory = new NativeArena("exits of a stage")) {
        Exits held =
            ExitsFile.read(
                folder.resolve("exits"),
                m,
                memory,
                own.kernels(),
                depth -> plan.holds(stage, depth));
        PipelinedDecoder.Settings settings =
            new PipelinedDecoder.Settings(policy, 15, options, 1, 0);
        return new PipelinedDecoder(m.decoder(), held, plan, links, own, settings)
            .run(List.of(prompt), m.tokenizer(), ends, PipelinedDecoder.Listener.NONE)
            .texts();
      }
    }
  }

  @BeforeAll
  static void load() {
    device = Device.cpu(2);
    Path files = TinyModel.write(folder.resolve("model"), LAYERS, 16, 290, CONTEXT, 1);
    model = LanguageModel.load(files, Precision.F32, device);
    arena = new NativeArena("exits");
    Exits built =
        new Exits(
            model.sha256(),
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
                    false, 200, model.decoder(), 3, arena, device.kernels())));
    ExitsFile.write(folder.resolve("exits"), built, model);
    exits = ExitsFile.read(folder.resolve("exits"), model, arena, device.kernels());
  }

  @AfterAll
  static void close() {
    arena.close();
    model.close();
    device.close();
  }

  private static GenerateOptions options(int tokens, SamplingOptions sampling, String... stop) {
    return new GenerateOptions(tokens, sampling, List.of(stop), false);
  }

  /** All but who had guessed a token. */
  private static List<List<Object>> trace(Generation g) {
    return g.tokens().stream()
        .map(t -> List.<Object>of(t.id(), t.text(), t.exit(), t.confidence()))
        .toList();
  }

  private static void assertSame(Generation found, Generation expected) {
    assertThat(trace(found)).isEqualTo(trace(expected));
    assertThat(found.text()).isEqualTo(expected.text());
    assertThat(found.finish()).isEqualTo(expected.finish());
  }

  @ParameterizedTest
  @EnumSource
  void writesWhatThePlainestWayWrites(Way way) {
    int[] repetitive = IntStream.range(0, 70).map(i -> 40 + i % 5).toArray();
    for (int[] prompt : List.of(PROMPT, new int[] {3}, repetitive)) {
      for (SamplingOptions sampling : List.of(SamplingOptions.GREEDY, SAMPLED)) {
        GenerateOptions options = options(TOKENS, sampling);
        assertSame(
            way.write(prompt, options, List.of()),
            way.reference().write(prompt, options, List.of()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void repeatedGivesTheSameBits(Way way) {
    GenerateOptions options = options(TOKENS, SAMPLED);
    Generation first = way.write(PROMPT, options, List.of());
    assertSame(way.write(PROMPT, options, List.of()), first);
    if (way.isStrategy()) {
      try (DecodingStrategy s = way.open(CONTEXT)) {
        for (int i = 0; i < 3; i++) {
          assertSame(Way.write(s, PROMPT, options, List.of(), () -> false), first);
          s.rewind(0);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void textsEndAtTheLimitAtStopTextsAndAtEndTokens(Way way) {
    Generation whole = way.write(PROMPT, options(TOKENS, SAMPLED), List.of());
    assertThat(whole.tokens()).hasSize(TOKENS);
    assertThat(whole.finish()).isEqualTo("length");

    String stop = whole.text().substring(whole.text().length() / 2).substring(0, 3);
    Generation stopped = way.write(PROMPT, options(TOKENS, SAMPLED, stop), List.of());
    assertThat(stopped.finish()).isEqualTo("stop");
    assertThat(stopped.text()).isEqualTo(whole.text().substring(0, whole.text().indexOf(stop)));

    int end = whole.tokens().get(TOKENS / 2).id();
    int first =
        IntStream.range(0, TOKENS)
            .filter(i -> whole.tokens().get(i).id() == end)
            .findFirst()
            .getAsInt();
    Generation ended = way.write(PROMPT, options(TOKENS, SAMPLED), List.of(end));
    assertThat(ended.finish()).isEqualTo("stop");
    assertThat(ended.tokens().stream().map(GeneratedToken::id))
        .isEqualTo(whole.tokens().subList(0, first + 1).stream().map(GeneratedToken::id).toList());
    assertThat(ended.tokens().getLast().text()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void theTraceSaysWhereEachTokenCameFrom(Way way) {
    Generation g = way.write(PROMPT, options(TOKENS, SamplingOptions.GREEDY), List.of());
    assertThat(g.promptIds()).isEqualTo(PROMPT);
    assertThat(g.tokens().stream().map(GeneratedToken::text).collect(Collectors.joining()))
        .isEqualTo(g.text());
    assertThat(g.tokens()).allSatisfy(t -> assertThat(t.confidence()).isBetween(0.0, 1.0));
    List<OptionalInt> left = g.tokens().stream().map(GeneratedToken::exit).distinct().toList();
    if (way.early) {
      assertThat(left.size()).as("depths of answers, %s", left).isGreaterThan(2);
      assertThat(left)
          .allSatisfy(
              e -> assertThat(e.isEmpty() || exits.depths().contains(e.getAsInt())).isTrue());
    } else {
      assertThat(left).containsExactly(OptionalInt.empty());
    }
  }

  /** Tokens after the first are guesses that turned out right, or the first rows of passes. */
  @ParameterizedTest
  @MethodSource("strategies")
  void whatIsSaidOfGuessesAddsUp(Way way) {
    try (DecodingStrategy s = way.open(CONTEXT)) {
      int read =
          Way.write(s, PROMPT, options(TOKENS, SAMPLED), List.of(), () -> false).tokens().size()
              - 1;
      SpeculationReport report = s.speculation();
      if (report.passes() > 0) {
        int right = report.trace().stream().mapToInt(SpeculationReport.Pass::accepted).sum();
        assertThat(report.passes() + right).isEqualTo(read);
        assertThat(report.sources().values().stream().mapToInt(g -> g.accepted()).sum())
            .isEqualTo(right);
        assertThat(report.rows()).isGreaterThanOrEqualTo(read);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void cancelledItEndsWithTheTokenAtHand(Way way) {
    GenerateOptions options = options(TOKENS, SAMPLED);
    Generation whole = way.write(PROMPT, options, List.of());
    int[] asked = {0};
    Generation g = way.write(PROMPT, options, List.of(), () -> ++asked[0] == 17);
    assertThat(g.finish()).isEqualTo("cancelled");
    assertThat(trace(g)).hasSize(17);
    assertThat(trace(g).subList(0, 16)).isEqualTo(trace(whole).subList(0, 16));
  }

  /** A prompt is read by all layers, so what follows it tells of all keys and values before it. */
  @ParameterizedTest
  @MethodSource("strategies")
  void theCacheOfATextIsThatOfFullDepth(Way way) {
    Random random = new Random(5);
    try (DecodingStrategy s = way.open(CONTEXT);
        DecodingStrategy full = Way.FULL_DEPTH.open(CONTEXT)) {
      int token = argmax(s.prefill(PROMPT));
      full.prefill(PROMPT);
      for (int i = 0; i < 5; i++) {
        for (int j = random.nextInt(20); j >= 0; j--) {
          full.next(token);
          token = argmax(s.next(token));
        }
        int[] more = random.ints(random.nextInt(1, 9), 0, 250).toArray();
        Step found = s.prefill(more);
        assertThat(found.logits()).isEqualTo(full.prefill(more).logits());
        token = argmax(found);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void cutItIsAsIfTheRestHadNotBeen(Way way) {
    Random random = new Random(6);
    try (DecodingStrategy s = way.open(CONTEXT)) {
      int[] text = new int[CONTEXT];
      int token = argmax(s.prefill(PROMPT));
      for (int i = 0; i < 12; i++) {
        for (int j = random.nextInt(25); j >= 0 && s.position() < CONTEXT; j--) {
          text[s.position()] = token;
          token = argmax(s.next(token));
        }
        s.rewind(random.nextInt(PROMPT.length, s.position()));
        token = random.nextInt(250);
      }
      text[s.position()] = token;
      Step found = s.next(token);
      try (DecodingStrategy fresh = way.open(CONTEXT)) {
        Step expected = fresh.prefill(PROMPT);
        for (int p = PROMPT.length; p < s.position(); p++) {
          expected = fresh.next(text[p]);
        }
        assertThat(found.logits()).isEqualTo(expected.logits());
        assertThat(found.exit()).isEqualTo(expected.exit());
        assertThat(found.confidence()).isEqualTo(expected.confidence());
      }
      assertThatThrownBy(() -> s.rewind(s.position() + 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("strategies")
  void aTokenTooManyIsRefusedAndChangesNothing(Way way) {
    try (DecodingStrategy s = way.open(PROMPT.length + 2);
        DecodingStrategy full = Way.FULL_DEPTH.open(CONTEXT)) {
      s.prefill(PROMPT);
      full.prefill(PROMPT);
      for (int token : new int[] {5, 6}) {
        s.next(token);
        full.next(token);
      }
      assertThatThrownBy(() -> s.next(7))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("room for " + (PROMPT.length + 2));
      assertThat(s.position()).isEqualTo(PROMPT.length + 2);
      s.rewind(PROMPT.length);
      full.rewind(PROMPT.length);
      int[] more = {8, 9};
      assertThat(s.prefill(more).logits()).isEqualTo(full.prefill(more).logits());
    }
  }

  private static int argmax(Step step) {
    float[] z = step.logits();
    int best = 0;
    for (int i = 1; i < z.length; i++) {
      best = z[i] > z[best] ? i : best;
    }
    return best;
  }
}

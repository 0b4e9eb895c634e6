package dev.sortie.eetuning.decode.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.pipeline.StageTime.Work;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.ExitAgreement;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.StageTensors;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.launch.ThreadRanks;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.parallel.shard.ShardGroup;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A pipeline of ranks writes what one rank writes: ids, exits and confidences to the last bit. */
@Timeout(120)
class PipelinedDecoderContractTest {
  private static final int TRIES = 20;
  private static final int CONTEXT = 160;
  private static final int LAYERS = 5;
  private static final int TOKENS = 60;
  private static final int DRAFT = 2;
  private static final int COVERED = 60;

  @TempDir private static Path folder;

  @BeforeAll
  static void makeModel() {
    TinyModel.write(folder.resolve("model"), LAYERS, 16, 290, CONTEXT, 1);
    for (int exits : new int[] {1, 3, 4}) {
      with(
          DecoderBuilder.WHOLE,
          (m, arena, device) -> {
            ExitsFile.write(exitsFolder(exits), built(exits, m, arena, device), m);
            return null;
          });
    }
  }

  /** One after the last layer stands in no file. */
  private static Path exitsFolder(int exits) {
    return folder.resolve("exits" + Math.min(exits, LAYERS - 1));
  }

  private static Exits built(int exits, LanguageModel m, NativeArena arena, Device device) {
    return new Exits(
        m.sha256(),
        Map.of(),
        Case.kinds(exits).entrySet().stream()
            .map(e -> spec(e.getKey(), e.getValue()))
            .map(s -> ExitInit.COPY.build(s, m.decoder(), 0, arena, device.kernels()))
            .toList());
  }

  /** One covers frequent tokens and those of the text; one after the last layer has its rows. */
  private static ExitSpec spec(int depth, ExitArchitecture architecture) {
    return depth == DRAFT
        ? new ExitSpec(depth, architecture, false, COVERED)
        : new ExitSpec(depth, architecture, true);
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

  /** What is decoded, and how. */
  private record Case(
      TreeMap<Integer, ExitArchitecture> exits,
      ExitPolicy policy,
      int maxPending,
      GenerateOptions options,
      List<int[]> prompts,
      List<Integer> ends) {

    static Case of(int exits, ExitPolicy policy, int maxPending, double temperature, int prompts) {
      SamplingOptions sampling = new SamplingOptions(temperature, 0, 1, 0, 1.3, 7);
      Random random = new Random(11);
      List<int[]> list = new ArrayList<>();
      for (int i = 0; i < prompts; i++) {
        int length = i == 0 ? 4 : random.nextInt(1, 60);
        list.add(random.ints(length, 0, 250).toArray());
      }
      GenerateOptions options = new GenerateOptions(TOKENS, sampling, List.of(), false);
      return new Case(kinds(exits), policy, maxPending, options, list, List.of());
    }

    private static TreeMap<Integer, ExitArchitecture> kinds(int exits) {
      TreeMap<Integer, ExitArchitecture> all =
          new TreeMap<>(
              Map.of(
                  1,
                  ExitArchitecture.NORM,
                  DRAFT,
                  ExitArchitecture.LAYER,
                  3,
                  ExitArchitecture.MLP,
                  4,
                  ExitArchitecture.LAYER,
                  LAYERS,
                  ExitArchitecture.NORM));
      while (all.size() > exits) {
        all.pollLastEntry();
      }
      return all;
    }

    Case with(GenerateOptions other, List<Integer> endIds) {
      return new Case(exits, policy, maxPending, other, prompts, endIds);
    }

    Exits read(LanguageModel m, NativeArena arena, Device device, DecodingStages plan, int stage) {
      if (exits.isEmpty()) {
        return Exits.none();
      }
      boolean last = exits.containsKey(LAYERS) && plan.isLast(stage);
      Exits stored =
          ExitsReader.of(m)
              .at(depth -> plan.holds(stage, depth) || last && depth == DRAFT)
              .read(exitsFolder(exits.size()), arena, device.kernels());
      Exits all = last ? FinalDraft.add(stored) : stored;
      return new Exits(
          all.backboneSha256(),
          all.tuning(),
          all.exits().stream().filter(e -> plan.holds(stage, e.spec().depth())).toList());
    }

    PipelinedDecoder.Settings settings(int texts) {
      return new PipelinedDecoder.Settings(policy, maxPending, options, texts, 1000);
    }

    List<ExitOutline> outlines() {
      return exits.entrySet().stream()
          .map(
              e ->
                  e.getKey() == LAYERS
                      ? new ExitOutline(LAYERS, Optional.of(e.getValue()), false, COVERED)
                      : new ExitOutline(e.getKey(), Optional.of(e.getValue()), true, 0))
          .toList();
    }
  }

  private static <T> T with(DecoderBuilder builder, Bench<T> body) {
    try (Device device = Device.cpu(1);
        LanguageModel m =
            LanguageModel.load(
                ModelFiles.open(folder.resolve("model")), Precision.F32, device, builder);
        NativeArena arena = new NativeArena("exits")) {
      return body.run(m, arena, device);
    }
  }

  private interface Bench<T> {
    T run(LanguageModel m, NativeArena arena, Device device);
  }

  /** One rank, or some that share the weights, by {@link EarlyExit}: text after text. */
  private static List<Generation> alone(Case c, int tp) {
    if (tp > 1) {
      return ThreadRanks.run(
              tp,
              CommOptions.defaults(),
              all -> oneByOne(c, new ShardBuilder(new ShardGroup(all), false)))
          .getFirst();
    }
    return oneByOne(c, DecoderBuilder.WHOLE);
  }

  private static List<Generation> oneByOne(Case c, DecoderBuilder builder) {
    return with(
        builder,
        (m, arena, device) -> {
          DecodingStages whole = DecodingStages.balanced(m.config().decoder(), c.outlines(), 1);
          Exits exits = c.read(m, arena, device, whole, 0);
          List<Generation> all = new ArrayList<>();
          for (int[] prompt : c.prompts()) {
            try (DecodingStrategy s =
                exits.exits().isEmpty()
                    ? new FullDepth(m.decoder(), CONTEXT, device)
                    : new EarlyExit(
                        m.decoder(), exits, c.policy(), CONTEXT, c.maxPending(), device)) {
              Generator g = new Generator(s, m.tokenizer(), c.ends(), m.config().decoder().vocab());
              all.add(g.run(prompt, c.options(), t -> {}));
            }
          }
          return all;
        });
  }

  private static PipelinedDecoder.Result pipeline(Case c, int tp, int pp, int texts) {
    return pipeline(c, tp, pp, texts, m -> m);
  }

  private static PipelinedDecoder.Result pipeline(
      Case c, int tp, int pp, int texts, Function<Case, Case> onOthers) {
    Mesh mesh = new Mesh(tp, 1, pp);
    CommOptions options = CommOptions.defaults().withDeadline(Duration.ofSeconds(30));
    return ThreadRanks.run(
            tp * pp,
            options,
            all -> rank(all.position() == 0 ? c : onOthers.apply(c), all, mesh, texts))
        .getFirst();
  }

  private static PipelinedDecoder.Result rank(Case c, Communicator all, Mesh mesh, int texts) {
    try (StageLinks links = new StageLinks(all, mesh)) {
      DecodingStages plan = DecodingStages.balanced(config(), c.outlines(), mesh.pp());
      StageTensors needed = plan.tensors(links.stage());
      DecoderBuilder builder =
          links
              .shares()
              .<DecoderBuilder>map(g -> new ShardBuilder(g, false, needed))
              .orElseGet(() -> DecoderBuilder.part(needed));
      return with(
          builder,
          (m, arena, device) -> {
            PipelinedDecoder decoder =
                new PipelinedDecoder(
                    m.decoder(),
                    c.read(m, arena, device, plan, links.stage()),
                    plan,
                    links,
                    device,
                    c.settings(texts));
            return decoder.run(
                c.prompts(), m.tokenizer(), c.ends(), PipelinedDecoder.Listener.NONE);
          });
    }
  }

  private static DecoderConfig config() {
    try (ModelFiles files = ModelFiles.open(folder.resolve("model"))) {
      return files.config().decoder();
    }
  }

  private static void assertSame(List<Generation> found, List<Generation> expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.size(); i++) {
      assertThat(found.get(i).tokens()).as("text " + i).isEqualTo(expected.get(i).tokens());
      assertThat(found.get(i).text()).isEqualTo(expected.get(i).text());
      assertThat(found.get(i).finish()).isEqualTo(expected.get(i).finish());
    }
  }

  @ParameterizedTest
  @CsvSource({
    // exits, percent that leave, pending, temperature, prompts, stages, texts at a time
    "0,  0, 15, 0.0, 1, 2, 1",
    "0,  0, 15, 0.8, 5, 5, 3",
    "1, 60, 15, 0.0, 1, 2, 1",
    "4, 30, 15, 0.8, 1, 2, 1",
    "4, 30, 15, 0.0, 6, 2, 6",
    "4, 50,  3, 0.8, 6, 3, 4",
    "4, 20, 15, 0.8, 6, 4, 2",
    "4, 90, 15, 0.0, 4, 5, 4",
    "3, 100, 6, 0.8, 4, 5, 4",
    "4, 40, 0, 0.8, 2, 3, 2",
    "4, 30, 15, 0.8, 3, 1, 2",
    // with an exit after the last layer
    "5, 30, 15, 0.8, 4, 3, 2",
    "5, 20, 15, 0.0, 6, 2, 6",
    "5, 40,  3, 0.8, 3, 5, 3",
    "5, 30,  0, 0.0, 2, 1, 2"
  })
  void everyNumberOfStagesWritesWhatOneRankWrites(
      int exits, int percent, int pending, double heat, int prompts, int pp, int texts) {
    Case c = Case.of(exits, new ByBits(percent), pending, heat, prompts);
    List<Generation> expected = alone(c, 1);
    Set<OptionalInt> taken = new HashSet<>();
    expected.forEach(g -> g.tokens().forEach(t -> taken.add(t.exit())));
    if (percent > 0 && pending > 0) {
      assertThat(taken).as("depths of answers").hasSizeGreaterThan(1);
    }
    if (exits == LAYERS) {
      assertThat(taken).contains(OptionalInt.of(LAYERS));
    }
    assertSame(pipeline(c, 1, pp, texts).texts(), expected);
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "2, 2", "2, 3"})
  void stagesWhoseWeightsRanksShareDoToo(int tp, int pp) {
    Case c = Case.of(4, new ByBits(30), 15, 0.8, 4);
    assertSame(pipeline(c, tp, pp, 3).texts(), alone(c, tp));
  }

  @Test
  void exitsThatAgreeAcrossStagesAreCounted() {
    Case c = Case.of(4, new ExitAgreement(0.01, 2), 15, 0, 4);
    List<Generation> expected = alone(c, 1);
    assertThat(expected.stream().flatMap(g -> g.tokens().stream()))
        .anyMatch(t -> t.exit().isPresent());
    assertSame(pipeline(c, 1, 5, 2).texts(), expected);
  }

  /** Wherever a text ends there are tokens of it under way in deeper stages. */
  @Test
  void textsEndAtStopTokensAndStopTextsAndTheContext() {
    Case c = Case.of(4, new ByBits(50), 15, 0.8, 6);
    List<Generation> whole = alone(c, 1);
    int end = whole.getFirst().tokens().get(20).id();
    String text = whole.get(1).text();
    String stop = text.substring(text.length() / 2, text.length() / 2 + 3);
    GenerateOptions stopping =
        new GenerateOptions(100, c.options().sampling(), List.of(stop), false);
    Case ending = c.with(stopping, List.of(end));
    List<Generation> expected = alone(ending, 1);
    assertThat(expected.stream().map(Generation::finish)).contains("stop");
    for (int pp : new int[] {2, 3}) {
      assertSame(pipeline(ending, 1, pp, 3).texts(), expected);
    }
    GenerateOptions full = new GenerateOptions(100, c.options().sampling(), List.of(), false);
    int[] prompt = new Random(3).ints(CONTEXT - 100, 0, 250).toArray();
    Case filling =
        new Case(
            c.exits(), c.policy(), 15, full, List.of(prompt, c.prompts().getFirst()), c.ends());
    List<Generation> filled = pipeline(filling, 1, 3, 2).texts();
    assertThat(filled.getFirst().tokens()).hasSize(100);
    assertSame(filled, alone(filling, 1));
  }

  /**
   * The last stage has seven layers, wide enough for the first to be done with its one meanwhile. A
   * machine that is busy may run one thread after the other: then it is tried again.
   */
  @Test
  void theStagesBehindAnExitWorkWhileTheNextTokenIsOnItsWay() {
    Path wide = TinyModel.write(folder.resolve("wide"), 8, 256, 290, CONTEXT, 1);
    boolean together = false;
    for (int i = 0; i < TRIES && !together; i++) {
      List<StageTime> times = twoStages(wide);
      assertThat(times.stream().map(StageTime::work)).contains(Work.PROMPT, Work.TOKEN, Work.FILL);
      List<StageTime> first =
          times.stream().filter(t -> t.stage() == 0 && t.work() == Work.TOKEN).toList();
      together =
          times.stream()
              .filter(t -> t.stage() == 1 && t.work() == Work.FILL)
              .anyMatch(
                  f -> first.stream().anyMatch(t -> t.start() < f.end() && t.end() > f.start()));
    }
    assertThat(together).as("the last stage fills while the first one works on a token").isTrue();
  }

  private static List<StageTime> twoStages(Path wide) {
    Case c = Case.of(0, new ByBits(100), 15, 0, 1);
    Mesh mesh = new Mesh(1, 1, 2);
    return ThreadRanks.run(
            2,
            CommOptions.defaults(),
            all -> {
              try (StageLinks links = new StageLinks(all, mesh);
                  Device device = Device.cpu(1);
                  LanguageModel m = LanguageModel.load(wide, Precision.F32, device);
                  NativeArena arena = new NativeArena("exits")) {
                ExitSpec spec = new ExitSpec(1, ExitArchitecture.NORM, true);
                Exits exits =
                    new Exits(
                        m.sha256(),
                        Map.of(),
                        links.stage() > 0
                            ? List.of()
                            : List.of(
                                ExitInit.COPY.build(
                                    spec, m.decoder(), 0, arena, device.kernels())));
                DecodingStages plan =
                    new DecodingStages(
                        m.config().decoder(),
                        List.of(new ExitOutline(1, Optional.of(ExitArchitecture.NORM), true, 0)),
                        List.of(1, 8));
                return new PipelinedDecoder(m.decoder(), exits, plan, links, device, c.settings(1))
                    .run(c.prompts(), m.tokenizer(), List.of(), PipelinedDecoder.Listener.NONE)
                    .times();
              }
            })
        .getFirst();
  }

  @Test
  void ranksThatWouldDecodeSomethingElseAreRefused() {
    Case c = Case.of(1, new ByBits(30), 15, 0, 1);
    assertThatThrownBy(
            () ->
                pipeline(
                    c,
                    1,
                    2,
                    1,
                    o -> new Case(o.exits(), o.policy(), 3, o.options(), o.prompts(), o.ends())))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("rank 1 would decode something else than rank 0");
  }

  /** A policy that fails on the second stage after some tokens. */
  private record Failing() implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      if (depth == 3 && confidence > 0.02) {
        throw new IllegalStateException("no more");
      }
      return false;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  @Test
  void aStageThatFailsEndsAllAndSaysWhy() {
    Case c = Case.of(4, new Failing(), 15, 0, 3);
    assertThatThrownBy(() -> pipeline(c, 1, 2, 3))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("no more")
        .satisfies(
            e ->
                assertThat(e.getSuppressed())
                    .anySatisfy(
                        s ->
                            assertThat(s)
                                .isInstanceOf(CommException.class)
                                .hasMessageContaining("rank 1 gave up: no more")));
  }

  @Test
  void cutsAreCheckedInOneLine() {
    with(
        DecoderBuilder.WHOLE,
        (m, arena, device) -> {
          var config = m.config().decoder();
          assertThatThrownBy(() -> DecodingStages.balanced(config, List.of(), 6))
              .isInstanceOf(InputException.class)
              .hasMessageContaining("--pp 6 is more than the model's 5 layers");
          assertThatThrownBy(() -> new DecodingStages(config, List.of(), List.of(3, 3, 5)))
              .isInstanceOf(InputException.class)
              .hasMessageContaining("[3, 3, 5]: take ascending numbers from 1 to 4");
          return null;
        });
  }
}

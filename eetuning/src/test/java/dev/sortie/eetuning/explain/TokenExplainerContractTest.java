package dev.sortie.eetuning.explain;

import static dev.sortie.eetuning.explain.ExplainedModel.CONTEXT;
import static dev.sortie.eetuning.explain.ExplainedModel.DEPTHS;
import static dev.sortie.eetuning.explain.ExplainedModel.LAYERS;
import static dev.sortie.eetuning.explain.ExplainedModel.PROMPT;
import static dev.sortie.eetuning.explain.ExplainedModel.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.Softmax;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.explain.ExplainedModel.ByBits;
import dev.sortie.eetuning.explain.Explanation.Asked;
import dev.sortie.eetuning.explain.Explanation.ExitRun;
import dev.sortie.eetuning.explain.Explanation.LayerRun;
import dev.sortie.eetuning.explain.KernelUse.WeightUse;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is explained is what was decoded: tokens, exits, layers and when each of them ran. */
class TokenExplainerContractTest {
  private static final int TOKENS = 28;
  private static final ExitPolicy SOME = new ByBits(45);

  @TempDir private static Path folder;

  private static ExplainedModel tiny;
  private static ExplainedModel integers;

  /** Of SOME, and far enough that all layers have run over the explained tokens. */
  private static List<GeneratedToken> text;

  /** Those of the second token to the last of {@link #TOKENS}. */
  private static List<Explanation> explained;

  @BeforeAll
  static void load() throws InterruptedException {
    tiny = ExplainedModel.inF32(folder.resolve("f32"));
    integers = ExplainedModel.inIntegers(folder.resolve("integers"));
    text = tiny.text(SOME, PROMPT, 3 * TOKENS);
    explained = new ArrayList<>();
    for (int number = 2; number <= TOKENS; number++) {
      explained.add(tiny.explain(SOME, PROMPT, number));
    }
  }

  @AfterAll
  static void close() {
    tiny.close();
    integers.close();
  }

  private static int depth(GeneratedToken token) {
    return token.exit().orElse(LAYERS);
  }

  @Test
  void eachTokenIsTheOneThatWasGenerated() throws InterruptedException {
    assertThat(text.subList(0, TOKENS))
        .extracting(GeneratedToken::exit)
        .contains(OptionalInt.empty(), OptionalInt.of(1));
    for (Explanation e : explained) {
      int number = e.number();
      GeneratedToken token = text.get(number - 1);
      assertThat(e.chosen().id()).as("token %d", number).isEqualTo(token.id());
      assertThat(e.exit()).as("token %d", number).isEqualTo(token.exit());
      assertThat(e.read().id()).isEqualTo(text.get(number - 2).id());
      assertThat(e.position()).isEqualTo(PROMPT.length + number - 2);
      double confidence =
          token.exit().isPresent()
              ? exit(e, token.exit().getAsInt()).reading().confidence()
              : e.last().confidence();
      assertThat(confidence).as("token %d", number).isEqualTo(token.confidence());
    }
  }

  private static ExitRun exit(Explanation e, int depth) {
    return e.exits().stream().filter(x -> x.reading().depth() == depth).findFirst().orElseThrow();
  }

  /** A layer runs with the first token that goes as deep, for all that left since the last one. */
  @Test
  void layersRanWhenTheTraceSaysTheyMust() throws InterruptedException {
    int[] depths = text.stream().mapToInt(TokenExplainerContractTest::depth).toArray();
    int later = 0;
    for (Explanation e : explained) {
      int number = e.number();
      assertThat(e.layers()).extracting(LayerRun::layer).containsExactly(1, 2, 3, 4, 5, 6);
      for (LayerRun run : e.layers()) {
        int by = number;
        while (depths[by - 1] < run.layer()) {
          by++;
        }
        int first = number;
        while (first > 2 && depths[first - 2] < run.layer()) {
          first--;
        }
        assertThat(run.by()).as("token %d, layer %d", number, run.layer()).hasValue(by);
        assertThat(run.rows()).isEqualTo(by - first + 1);
        int keys = PROMPT.length + by - 1;
        assertThat(run.cache().orElseThrow().tokens()).isEqualTo(keys);
        assertThat(run.cache().orElseThrow().bytes()).isEqualTo(2L * 4 * keys * 2 * 8);
        later += by > number ? 1 : 0;
      }
      assertThat(e.stretches().stream().mapToInt(s -> s.last() - s.first() + 1).sum())
          .isEqualTo(LAYERS);
      assertThat(e.deferred().stream().mapToInt(s -> s.last() - s.first() + 1).sum())
          .isEqualTo(e.exit().isPresent() ? LAYERS - e.exit().getAsInt() : 0);
    }
    assertThat(later).as("layers that ran later").isGreaterThan(LAYERS);
  }

  /** Each row of each pass is one token's: summed over passes they are all tokens. */
  @Test
  void passesTakeEachTokenOnce() throws InterruptedException {
    Map<String, Integer> rows = new HashMap<>();
    Map<Integer, Integer> tokens = new HashMap<>();
    for (Explanation e : explained) {
      for (LayerRun run : e.layers()) {
        rows.put(run.layer() + " " + run.by().getAsInt(), run.rows());
        if (run.by().getAsInt() <= TOKENS) {
          tokens.merge(run.layer(), 1, Integer::sum);
        }
      }
    }
    for (int layer = 1; layer <= LAYERS; layer++) {
      String of = layer + " ";
      int sum =
          rows.entrySet().stream()
              .filter(r -> r.getKey().startsWith(of))
              .filter(r -> Integer.parseInt(r.getKey().substring(of.length())) <= TOKENS)
              .mapToInt(Map.Entry::getValue)
              .sum();
      assertThat(sum).as("layer %d", layer).isEqualTo(tokens.get(layer));
    }
  }

  @Test
  void exitsSayWhatTheySayOfTheWholeTextAtOnce() throws InterruptedException {
    int number = 17;
    Explanation e = explained.get(number - 2);
    assertThat(e.exits()).extracting(x -> x.reading().depth()).containsExactlyElementsOf(DEPTHS);
    int[] read =
        IntStream.concat(
                IntStream.of(PROMPT), text.stream().limit(number - 1).mapToInt(GeneratedToken::id))
            .toArray();
    Decoder decoder = tiny.model().decoder();
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(tiny.model().device(), workspace);
      Tensor ids = Tensor.ids(workspace, Shape.of(1, read.length), read);
      Map<Integer, float[]> logits = new HashMap<>();
      Tensor end =
          NoGrad.call(
              () ->
                  decoder.forward(
                      ops,
                      ids,
                      LAYERS,
                      new Decoder.Tap() {
                        @Override
                        public void see(int depth, Tensor a, Tensor x) {
                          exits(depth)
                              .forEach(exit -> logits.put(depth, last(exit.logits(ops, x, a))));
                        }
                      }));
      for (Exit exit : tiny.exits().betweenLayers()) {
        assertLikely(exit(e, exit.depth()), exit, logits.get(exit.depth()));
      }
      double[] whole = Softmax.of(last(NoGrad.call(() -> decoder.logits(ops, end))));
      for (LikelyToken token : e.last().top()) {
        assertThat(token.probability()).isCloseTo(whole[token.id()], within(1e-5));
      }
    }
  }

  private static List<Exit> exits(int depth) {
    return tiny.exits().betweenLayers().stream().filter(x -> x.depth() == depth).toList();
  }

  private static float[] last(Tensor logits) {
    float[] all = logits.toFloats();
    int width = logits.shape().size(-1);
    return Arrays.copyOfRange(all, all.length - width, all.length);
  }

  /** A draft head knows the tokens of the text too, so there the ratios are compared. */
  private static void assertLikely(ExitRun run, Exit exit, float[] logits) {
    double[] p = Softmax.of(logits);
    List<LikelyToken> top = run.reading().top();
    assertThat(top).hasSize(LikelyToken.COUNT);
    List<Integer> stored = IntStream.range(0, p.length).map(exit::token).boxed().toList();
    List<LikelyToken> known = top.stream().filter(t -> stored.contains(t.id())).toList();
    assertThat(known).isNotEmpty();
    LikelyToken first = known.getFirst();
    double factor =
        exit.draft().isEmpty() ? 1 : first.probability() / p[stored.indexOf(first.id())];
    for (LikelyToken token : known) {
      assertThat(token.probability())
          .as("exit %d, token %d", exit.depth(), token.id())
          .isCloseTo(factor * p[stored.indexOf(token.id())], within(1e-5));
    }
    assertThat(top).isSortedAccordingTo((a, b) -> Double.compare(b.probability(), a.probability()));
    assertThat(top.getFirst().probability()).isEqualTo(run.reading().confidence());
  }

  @Test
  void verdictsFollowTheThresholdAndTheTrace() throws InterruptedException {
    ExitPolicy always = new MaxProbability(0);
    Explanation e = tiny.explain(always, PROMPT, 3);
    assertThat(e.exit()).hasValue(1);
    assertThat(e.exits()).allMatch(x -> x.reading().leaves());
    assertThat(e.exits())
        .extracting(ExitRun::asked)
        .containsExactly(Asked.TAKEN, Asked.BELOW, Asked.BELOW, Asked.BELOW, Asked.BELOW);
    Explanation full = tiny.explain(new MaxProbability(1), PROMPT, 3);
    assertThat(full.exit()).isEmpty();
    assertThat(full.exits()).noneMatch(x -> x.reading().leaves());
    assertThat(full.exits()).extracting(ExitRun::asked).containsOnly(Asked.SKIPPED);
    assertThat(full.exits()).allSatisfy(x -> assertThat(x.reading().threshold()).hasValue(1.0));
    double between = full.exits().getFirst().reading().confidence();
    Explanation passed = tiny.explain(new MaxProbability(Math.nextUp(between)), PROMPT, 3);
    assertThat(passed.exits().getFirst().reading().leaves()).isFalse();
  }

  @Test
  void layersAndHeadsRunTheirOwnKernels() throws InterruptedException {
    Explanation e = tiny.explain(new MaxProbability(1), PROMPT, 2);
    assertThat(e.embedding()).extracting(KernelUse::kernel).containsExactly("gatherRows", "copy");
    List<String> usual =
        List.of(
            "rmsNorm",
            "linears",
            "rope",
            "copy",
            "copy",
            "rope",
            "attention",
            "linear",
            "add",
            "rmsNorm",
            "linears",
            "swiglu",
            "linear",
            "add");
    for (LayerRun run : e.layers()) {
      assertThat(run.kernels().stream().map(KernelUse::kernel).toList().subList(0, usual.size()))
          .as("layer %d", run.layer())
          .isEqualTo(usual);
      assertThat(run.kernels().stream().skip(usual.size()).map(KernelUse::kernel))
          .as("what is kept after layer %d", run.layer())
          .allMatch("copy"::equals);
      assertThat(run.nanos()).isPositive();
    }
    KernelUse projections = e.layers().getFirst().kernels().get(1);
    assertThat(projections.shapes())
        .isEqualTo(
            new OperandShapes(
                List.of(List.of(1, 32)), List.of(List.of(1, 32), List.of(1, 16), List.of(1, 16))));
    assertThat(projections.weights())
        .containsExactly(
            new WeightUse("self_attn.q_proj.weight", DType.F32, List.of(32, 32)),
            new WeightUse("self_attn.k_proj.weight", DType.F32, List.of(16, 32)),
            new WeightUse("self_attn.v_proj.weight", DType.F32, List.of(16, 32)));
    assertThat(e.layers().getFirst().kernels().get(6).shapes().in())
        .containsExactly(List.of(1, 4, 8), List.of(7, 2, 8), List.of(7, 2, 8));
    assertThat(kernels(exit(e, 1))).containsExactly("linear", "argmax");
    assertThat(kernels(exit(e, 2))).contains("attention", "linears", "argmax");
    assertThat(kernels(exit(e, 3)))
        .containsExactly(
            "rmsNorm", "linears", "swiglu", "linear", "add", "rmsNorm", "linear", "argmax");
    assertThat(kernels(exit(e, 4))).containsExactly("rmsNorm", "linear", "argmax");
    assertThat(e.last().kernels())
        .extracting(KernelUse::kernel)
        .containsExactly("rmsNorm", "linear", "argmax");
    assertThat(e.last().kernels().get(1).weights())
        .extracting(WeightUse::name)
        .containsExactly("model.embed_tokens.weight");
  }

  private static List<String> kernels(ExitRun exit) {
    return exit.kernels().stream().map(KernelUse::kernel).toList();
  }

  @Test
  void weightsInTilesAreNamedWithTheKernelThatReadsThem() throws InterruptedException {
    assertThat(integers.model().arithmetic().word()).isEqualTo("integer");
    List<GeneratedToken> written = integers.text(SOME, PROMPT, TOKENS);
    for (int number : new int[] {2, 9, TOKENS}) {
      Explanation e = integers.explain(SOME, PROMPT, number);
      assertThat(e.chosen().id()).isEqualTo(written.get(number - 1).id());
      assertThat(e.exit()).isEqualTo(written.get(number - 1).exit());
      for (LayerRun run : e.layers()) {
        KernelUse projections = run.kernels().get(1);
        assertThat(projections.kernel()).isEqualTo("tiledLinears");
        assertThat(projections.weights())
            .extracting(WeightUse::type)
            .containsExactly(DType.Q4_1, DType.Q4_1, DType.Q4_1);
        assertThat(projections.shapes().out())
            .containsExactly(
                List.of(run.rows(), 32), List.of(run.rows(), 16), List.of(run.rows(), 16));
      }
    }
  }

  @Test
  void theFirstTokenIsTheFinalLayersAndHasBitsOfItsOwn() throws InterruptedException {
    int[] prompt = IntStream.range(0, 40).map(i -> 5 * i % 280).toArray();
    Explanation e = tiny.explain(new MaxProbability(0), prompt, 1);
    GeneratedToken first = tiny.text(new MaxProbability(0), prompt, 1).getFirst();
    assertThat(e.exit()).isEmpty();
    assertThat(e.chosen().id()).isEqualTo(first.id());
    assertThat(e.last().confidence()).isCloseTo(first.confidence(), within(1e-5));
    assertThat(e.exits()).extracting(ExitRun::asked).containsOnly(Asked.SKIPPED);
    assertThat(e.exits()).allMatch(x -> x.reading().leaves());
    assertThat(e.deferred()).isEmpty();
    assertThat(tiny.explain(SOME, new int[] {7}, 1).position()).isZero();
  }

  @Test
  void aModelWithoutExitsIsExplainedToo() throws InterruptedException {
    TokenExplainer explainer =
        new TokenExplainer(
            tiny.model(), Exits.none(), new MaxProbability(1), EarlyExit.MAX_PENDING, List.of());
    Explanation e = explainer.explain(PROMPT, 4, options(1), Supplier::get);
    assertThat(e.exits()).isEmpty();
    assertThat(e.layers()).allMatch(run -> run.rows() == 1);
    GeneratedToken token = tiny.text(new MaxProbability(1), PROMPT, 4).get(3);
    assertThat(e.chosen().id()).isEqualTo(token.id());
    assertThat(e.last().confidence()).isEqualTo(token.confidence());
  }

  @Test
  void aTextThatEndsLeavesLayersUndone() throws InterruptedException {
    List<GeneratedToken> shallow = tiny.text(new MaxProbability(0), PROMPT, 9);
    int end = shallow.get(8).id();
    int number = 1 + shallow.stream().map(GeneratedToken::id).toList().indexOf(end);
    TokenExplainer explainer =
        new TokenExplainer(
            tiny.model(), tiny.exits(), new MaxProbability(0), EarlyExit.MAX_PENDING, List.of(end));
    GenerateOptions stopping = new GenerateOptions(1, SamplingOptions.GREEDY, List.of(), false);
    Explanation e = explainer.explain(PROMPT, number, stopping, Supplier::get);
    assertThat(e.layers().getFirst().by()).hasValue(number);
    assertThat(e.layers().subList(1, LAYERS)).allMatch(run -> run.by().isEmpty());
    assertThat(e.deferred()).hasSize(1);
    assertThatThrownBy(() -> explainer.explain(PROMPT, number + 1, stopping, Supplier::get))
        .isInstanceOf(InputException.class)
        .hasMessage("the text ends with token %d, and token %d is asked for", number, number + 1);
  }

  @Test
  void whatDoesNotFitIsRefused() throws InterruptedException {
    assertThatThrownBy(() -> tiny.explain(SOME, new int[0], 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("the prompt is empty");
    int most = CONTEXT - PROMPT.length + 1;
    assertThat(tiny.explain(SOME, PROMPT, most).position()).isEqualTo(CONTEXT - 1);
    assertThatThrownBy(() -> tiny.explain(SOME, PROMPT, most + 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("outside 1 to " + most);
    assertThatThrownBy(() -> tiny.explain(SOME, new int[CONTEXT + 1], 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("context is " + CONTEXT);
    assertThatThrownBy(() -> tiny.explain(SOME, PROMPT, 0)).isInstanceOf(InputException.class);
    TokenExplainer explainer =
        new TokenExplainer(tiny.model(), tiny.exits(), SOME, EarlyExit.MAX_PENDING, List.of());
    assertThatThrownBy(() -> explainer.explain(PROMPT, 3, options(1), this::refuse))
        .isInstanceOf(CancellationException.class);
  }

  private Step refuse(Supplier<Step> pass) {
    throw new CancellationException("nobody wants it");
  }

  @Test
  void aLongPromptIsReadInPiecesToTheSameBits() throws InterruptedException {
    int[] prompt = IntStream.range(0, 270).map(i -> 7 * i % 280).toArray();
    GeneratedToken token = tiny.text(SOME, prompt, 6).getLast();
    List<Integer> passes = new ArrayList<>();
    TokenExplainer explainer =
        new TokenExplainer(tiny.model(), tiny.exits(), SOME, EarlyExit.MAX_PENDING, List.of());
    Explanation e =
        explainer.explain(
            prompt,
            6,
            options(1),
            pass -> {
              passes.add(1);
              return pass.get();
            });
    assertThat(passes).hasSizeGreaterThan(2 * 3 + 2 * 5);
    assertThat(e.chosen().id()).isEqualTo(token.id());
    assertThat(e.exit()).isEqualTo(token.exit());
    double confidence =
        token.exit().isPresent()
            ? exit(e, token.exit().getAsInt()).reading().confidence()
            : e.last().confidence();
    assertThat(confidence).isEqualTo(token.confidence());
  }
}

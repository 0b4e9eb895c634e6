package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.dtype.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real model of 135 million weights from its quantised GGUF file, against golden values. */
class SmolLm2ParityTest {
  private static Bench bench;
  private static Path folder;
  private static LanguageModel model;
  private static JsonObject golden;

  @BeforeAll
  static void load() {
    folder = Fixture.shared("models/SmolLM2-135M-Instruct");
    bench = Bench.open(2);
    Assumptions.assumeFalse(
        bench.kernels().name().equals("scalar"), "takes minutes on the scalar kernels");
    model = LanguageModel.load(file(), Precision.F32, bench.device());
    golden = Json.read(folder.resolve("golden.json"), JsonLimits.DATA);
  }

  private static Path file() {
    return folder.resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
  }

  @AfterAll
  static void close() {
    if (model != null) {
      model.close();
    }
    if (bench != null) {
      bench.close();
    }
  }

  @Test
  void textsHaveTheGoldenIds() {
    for (JsonObject c : golden.getObjects("tokenize")) {
      String text = c.getString("text");
      int[] ids = model.tokenizer().encode(text, new EncodeOptions(true, true));
      assertThat(ids).as(text).containsExactly(ints(c, "ids"));
    }
  }

  @Test
  void promptsHaveTheGoldenIds() {
    for (JsonObject c : golden.getObjects("cases")) {
      assertThat(model.tokenizer().encode(prompt(c), new EncodeOptions(true, true)))
          .as(prompt(c))
          .containsExactly(ints(c, "ids"));
    }
  }

  @Test
  void lastLogitsAreNearTheGoldenOnes() {
    for (JsonObject c : golden.getObjects("cases")) {
      int[] ids = ints(c, "ids");
      try (FullDepth strategy = new FullDepth(model.decoder(), ids.length, bench.device())) {
        assertGolden(c, strategy.prefill(ids).logits(), 2e-3);
      }
    }
  }

  @Test
  void greedyDecodingGivesTheGoldenIds() {
    for (JsonObject c : golden.getObjects("cases")) {
      int count = Math.min(16, certain(c));
      int[] expected = Arrays.copyOf(ints(c, "greedy"), count);
      assertThat(greedy(model, ints(c, "ids"), count)).as(prompt(c)).containsExactly(expected);
    }
  }

  /** All golden ids up to the first that is uncertain, each chosen after those before it. */
  @Test
  void eachGoldenIdIsTheMostLikelyAfterTheOnesBeforeIt() {
    for (JsonObject c : golden.getObjects("cases")) {
      int[] prompt = ints(c, "ids");
      int[] greedy = Arrays.copyOf(ints(c, "greedy"), certain(c));
      int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(greedy)).toArray();
      int[] chosen =
          NoGrad.call(
              () -> {
                Tensor ids = Tensor.ids(bench.ops().workspace(), Shape.of(1, all.length), all);
                return TopTokens.of(bench.ops(), model.decoder().forward(bench.ops(), ids)).ids();
              });
      bench.ops().workspace().reset();
      assertThat(Arrays.copyOfRange(chosen, prompt.length - 1, all.length - 1))
          .as(prompt(c))
          .containsExactly(greedy);
    }
  }

  private static int certain(JsonObject c) {
    return c.getInt("greedy_certain", 1, 64);
  }

  @Test
  void theFilesOwnBlocksUsedInPlaceGiveTheSame() {
    try (LanguageModel inPlace = LanguageModel.load(file(), Precision.FILE, bench.device())) {
      assertThat(inPlace.decoder().head().weight().dtype()).isEqualTo(DType.Q8_0);
      for (JsonObject c : golden.getObjects("cases")) {
        int[] ids = ints(c, "ids");
        try (FullDepth s = new FullDepth(inPlace.decoder(), ids.length, bench.device())) {
          assertGolden(c, s.prefill(ids).logits(), 2e-3);
        }
        int count = Math.min(16, certain(c));
        assertThat(greedy(inPlace, ids, count))
            .as(prompt(c))
            .containsExactly(Arrays.copyOf(ints(c, "greedy"), count));
      }
    }
  }

  /** In integers: ids up to the first whose margin rounding of x could reach, and perplexity. */
  @Test
  void integerArithmeticKeepsCertainIdsAndPerplexity() throws IOException {
    try (LanguageModel integer =
        LanguageModel.load(file(), Precision.FILE, Arithmetic.INTEGER, bench.device())) {
      assertThat(integer.arithmetic()).isEqualTo(Arithmetic.INTEGER);
      int checked = 0;
      for (JsonObject c : golden.getObjects("cases")) {
        List<?> margins = c.getList("margins");
        int certain = 0;
        while (certain < margins.size() && number(margins.get(certain)) > 0.2) {
          certain++;
        }
        checked += certain;
        if (certain > 0) {
          assertThat(greedy(integer, ints(c, "ids"), certain))
              .as(prompt(c))
              .containsExactly(Arrays.copyOf(ints(c, "greedy"), certain));
        }
      }
      assertThat(checked).as("certain ids").isGreaterThan(20);
      double nll =
          new TextScorer(integer, Exits.none(), integer.device())
              .score(Files.readString(folder.resolve("text.txt")), TextScorer.Progress.NONE)
              .heads()
              .get("final")
              .nll();
      double exact = number(golden.getList("nll_by_exit_layer").getLast());
      assertThat(Math.exp(nll - exact)).as("ratio of perplexities").isCloseTo(1, within(1e-3));
    }
  }

  /** The logit lens at some depths; all thirty would take half a minute. */
  @Test
  void negativeLogLikelihoodPerDepthIsTheGoldenOne() throws IOException {
    int layers = model.config().decoder().layers();
    List<Integer> depths = List.of(1, 12, 24, 28, 29);
    List<Exit> exits =
        depths.stream()
            .map(
                depth ->
                    ExitInit.COPY.build(
                        new ExitSpec(depth, ExitArchitecture.NORM, false),
                        model.decoder(),
                        0,
                        bench.arena(),
                        bench.kernels()))
            .toList();
    TextScorer scorer =
        new TextScorer(model, new Exits(model.sha256(), Map.of(), exits), bench.device());
    TextScorer.Result result =
        scorer.score(Files.readString(folder.resolve("text.txt")), TextScorer.Progress.NONE);
    assertThat(result.tokens()).isEqualTo(golden.getInt("text_tokens_scored", 1, 10_000));
    List<?> nll = golden.getList("nll_by_exit_layer");
    List<?> agreement = golden.getList("agreement_by_exit_layer");
    result
        .heads()
        .forEach(
            (name, score) -> {
              int depth = name.equals("final") ? layers : Integer.parseInt(name);
              double expected = number(nll.get(depth - 1));
              assertThat(score.nll())
                  .as("nll at depth " + depth)
                  .isCloseTo(expected, within(2e-5 * expected));
              assertThat(score.agreement())
                  .as("agreement at depth " + depth)
                  .isCloseTo(number(agreement.get(depth - 1)), within(2.0 / result.tokens()));
            });
  }

  private static int[] greedy(LanguageModel m, int[] ids, int count) {
    GenerateOptions options = new GenerateOptions(count, SamplingOptions.GREEDY, List.of(), true);
    try (DecodingStrategy strategy = new FullDepth(m.decoder(), ids.length + count, m.device())) {
      return new Generator(strategy, m.tokenizer(), m.config().eos(), m.config().decoder().vocab())
          .run(ids, options, token -> {}).tokens().stream().mapToInt(GeneratedToken::id).toArray();
    }
  }

  private static void assertGolden(JsonObject c, float[] logits, double tolerance) {
    List<Integer> order =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -logits[i]))
            .toList();
    List<?> top = c.getList("top_logits");
    for (int i = 0; i < top.size(); i++) {
      List<?> pair = (List<?>) top.get(i);
      int id = ((Number) pair.getFirst()).intValue();
      double expected = number(pair.getLast());
      assertThat((double) logits[id])
          .as(prompt(c) + ", logit of " + id)
          .isCloseTo(expected, within(tolerance));
      assertThat(order.indexOf(id)).as(prompt(c) + ", place of " + id).isLessThan(top.size() + 2);
    }
    double squares =
        IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).map(x -> x * x).sum();
    double expected = c.getDouble("logit_sum_of_squares", 0, 1e12);
    assertThat(squares).isCloseTo(expected, within(1e-4 * expected));
  }

  private static String prompt(JsonObject c) {
    return c.getString(c.has("prompt") ? "prompt" : "rendered");
  }

  private static double number(Object x) {
    return ((Number) x).doubleValue();
  }

  private static int[] ints(JsonObject o, String field) {
    return o.getInts(field, 0, Integer.MAX_VALUE).stream().mapToInt(Integer::intValue).toArray();
  }
}

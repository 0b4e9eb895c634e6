package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real small model, from the text to the text, against a separate float64 implementation. */
class Stories260KParityTest {
  private static final int LAYERS = 5;

  private static Path folder;
  private static Bench bench;
  private static LanguageModel model;
  private static JsonObject golden;

  @BeforeAll
  static void load() {
    folder = Fixture.shared("models/stories260K");
    bench = Bench.open(2);
    model = LanguageModel.load(folder, Precision.FILE, bench.device());
    golden = Json.read(folder.resolve("golden.json"), JsonLimits.DATA);
  }

  @AfterAll
  static void close() {
    if (model != null) {
      model.close();
      bench.close();
    }
  }

  @Test
  void promptsHaveTheGoldenIds() {
    for (JsonObject c : golden.getObjects("cases")) {
      assertThat(model.tokenizer().encode(c.getString("prompt")))
          .as(c.getString("prompt"))
          .containsExactly(ints(c, "ids"));
    }
  }

  @Test
  void lastLogitsAreNearTheGoldenOnes() {
    for (JsonObject c : golden.getObjects("cases")) {
      int[] ids = ints(c, "ids");
      double[] expected = doubles(c, "last_logits");
      try (FullDepth strategy = new FullDepth(model.decoder(), ids.length, bench.device())) {
        float[] logits = strategy.prefill(ids).logits();
        assertThat(logits).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
          assertThat((double) logits[i])
              .as(c.getString("prompt") + ", logit " + i)
              .isCloseTo(expected[i], within(1e-4));
        }
      }
    }
  }

  /** The golden greedy ids continue past an end-of-text token. */
  @Test
  void greedyDecodingGivesTheGoldenIds() {
    for (JsonObject c : golden.getObjects("cases")) {
      int[] expected = ints(c, "greedy_32");
      int[] ids = ints(c, "ids");
      GenerateOptions options =
          new GenerateOptions(expected.length, SamplingOptions.GREEDY, List.of(), true);
      try (DecodingStrategy strategy =
          new FullDepth(model.decoder(), ids.length + expected.length, bench.device())) {
        Generation g =
            new Generator(
                    strategy,
                    model.tokenizer(),
                    model.config().eos(),
                    model.config().decoder().vocab())
                .run(ids, options, token -> {});
        assertThat(g.tokens().stream().mapToInt(GeneratedToken::id).toArray())
            .as(c.getString("prompt"))
            .containsExactly(expected);
        assertThat(g.finish()).isEqualTo("length");
        assertThat(g.text())
            .isEqualTo(g.tokens().stream().map(GeneratedToken::text).reduce("", String::concat));
      }
    }
  }

  @Test
  void copiedNormExitsChooseWhatTheLogitLensChooses() {
    Exits exits = copiedNorms();
    for (JsonObject c : golden.getObjects("cases")) {
      int[] ids = ints(c, "ids");
      List<Integer> choices = new ArrayList<>();
      NoGrad.run(() -> choices.addAll(choices(exits, ids)));
      bench.ops().workspace().reset();
      assertThat(choices)
          .as(c.getString("prompt"))
          .isEqualTo(c.getInts("exit_argmax_last_pos", 0, 511));
    }
  }

  @Test
  void perplexityPerDepthIsTheGoldenOne() throws IOException {
    TextScorer scorer = new TextScorer(model, copiedNorms(), bench.device());
    double[] expected = doubles(golden, "simple_stories_ppl_by_exit_layer");
    double[] nll = new double[LAYERS];
    long tokens = 0;
    long bytes = 0;
    String text = Files.readString(folder.resolve("stories.txt"));
    String[] stories = text.strip().split("\n\n");
    assertThat(stories).hasSize(5);
    for (String story : stories) {
      TextScorer.Result result = scorer.score(story.strip(), TextScorer.Progress.NONE);
      List<TextScorer.Score> heads = List.copyOf(result.heads().values());
      assertThat(result.heads().keySet()).containsExactly("1", "2", "3", "4", "final");
      for (int i = 0; i < LAYERS; i++) {
        nll[i] += heads.get(i).nll() * result.tokens();
      }
      tokens += result.tokens();
      bytes += result.bytes();
    }
    assertThat(tokens).isEqualTo(golden.getLong("tokens", 0, Long.MAX_VALUE));
    for (int i = 0; i < LAYERS; i++) {
      // the golden values have four to six digits
      assertThat(Math.exp(nll[i] / tokens))
          .as("perplexity at depth " + (i + 1))
          .isCloseTo(expected[i], within(2e-4 * expected[i]));
    }
    assertThat(nll[LAYERS - 1] / bytes / Math.log(2))
        .isCloseTo(golden.getDouble("bits_per_byte_full", 0, 8), within(6e-5));
  }

  /** The most likely next token at the last position by each exit, then by the final layer. */
  private static List<Integer> choices(Exits exits, int[] ids) {
    List<Tensor> logits = new ArrayList<>();
    Tensor input = Tensor.ids(bench.ops().workspace(), Shape.of(1, ids.length), ids);
    Tensor last =
        model
            .decoder()
            .forward(
                bench.ops(),
                input,
                LAYERS,
                (depth, a, x) -> {
                  if (depth < LAYERS) {
                    logits.add(exits.exits().get(depth - 1).logits(bench.ops(), x, a));
                  }
                });
    logits.add(model.decoder().logits(bench.ops(), last));
    return logits.stream().map(t -> argmaxOfLastRow(t.toFloats(), t.shape().size(-1))).toList();
  }

  private static int argmaxOfLastRow(float[] logits, int vocab) {
    int from = logits.length - vocab;
    return IntStream.range(0, vocab)
        .reduce((best, i) -> logits[from + i] > logits[from + best] ? i : best)
        .orElseThrow();
  }

  private static Exits copiedNorms() {
    List<Exit> exits =
        IntStream.range(1, LAYERS)
            .mapToObj(
                depth ->
                    ExitInit.COPY.build(
                        new ExitSpec(depth, ExitArchitecture.NORM, true),
                        model.decoder(),
                        0,
                        bench.arena(),
                        bench.kernels()))
            .toList();
    return new Exits(model.sha256(), Map.of(), exits);
  }

  private static int[] ints(JsonObject o, String field) {
    return o.getInts(field, 0, Integer.MAX_VALUE).stream().mapToInt(Integer::intValue).toArray();
  }

  private static double[] doubles(JsonObject o, String field) {
    return o.getList(field).stream().mapToDouble(x -> ((Number) x).doubleValue()).toArray();
  }
}

package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user sees of drafted text: the same as at full depth, however it ends. */
class SpeculativeTextContractTest {
  private static final int CONTEXT = TinyModel.CONTEXT;
  private static final SamplingOptions WARM = new SamplingOptions(1, 0, 1, 0, 1, 4);
  private static final String PROMPT = "The fox ran over the hill and the fox";

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static int[] prompt;

  @BeforeAll
  static void load() {
    device = Device.cpu(1);
    model = LanguageModel.load(TinyModel.write(folder.resolve("model"), 1), Precision.F32, device);
    prompt = model.tokenizer().encode(PROMPT);
  }

  @AfterAll
  static void close() {
    model.close();
    device.close();
  }

  private static Speculative drafting(int[] text, int length) {
    return new Speculative(
        model.decoder(),
        List.of(new Oracle(text, 10, 0)),
        CONTEXT,
        device,
        new FixedDraftLength(length),
        System::nanoTime);
  }

  private static Generation run(
      DecodingStrategy strategy, List<Integer> ends, GenerateOptions options, int cancelAfter) {
    int[] asked = {0};
    return new Generator(strategy, model.tokenizer(), ends, model.config().decoder().vocab())
        .run(prompt, options, t -> {}, () -> ++asked[0] == cancelAfter);
  }

  private static List<Integer> ids(Generation g) {
    return g.tokens().stream().map(GeneratedToken::id).toList();
  }

  private static GenerateOptions options(List<String> stop) {
    return new GenerateOptions(CONTEXT - prompt.length, WARM, stop, false);
  }

  /** The whole text, prompt included. */
  private static int[] text() {
    try (FullDepth full = new FullDepth(model.decoder(), CONTEXT, device)) {
      List<Integer> all = new ArrayList<>();
      for (int id : prompt) {
        all.add(id);
      }
      all.addAll(ids(run(full, List.of(), options(List.of()), -1)));
      return all.stream().mapToInt(i -> i).toArray();
    }
  }

  @Test
  void anEndOfTextAmongTheDraftsEndsTheTextWhereFullDepthDoes() {
    int[] text = text();
    for (int at = prompt.length; at < text.length; at++) {
      same(text, List.of(text[at]), List.of(), -1, "stop");
    }
  }

  @Test
  void aStopTextAmongTheDraftsEndsTheTextWhereFullDepthDoes() {
    int[] text = text();
    String whole = model.tokenizer().decode(Arrays.copyOfRange(text, prompt.length, text.length));
    for (int at = 0; at + 3 <= whole.length(); at += 3) {
      same(text, List.of(), List.of(whole.substring(at, at + 3)), -1, "stop");
    }
  }

  @Test
  void whoCancelsAmongTheDraftsGetsWhatFullDepthGives() {
    int[] text = text();
    for (int after = 1; after < 10; after++) {
      same(text, List.of(), List.of(), after, "cancelled");
    }
  }

  private static void same(
      int[] text, List<Integer> ends, List<String> stop, int cancelAfter, String finish) {
    Generation expected;
    try (FullDepth full = new FullDepth(model.decoder(), CONTEXT, device)) {
      expected = run(full, ends, options(stop), cancelAfter);
    }
    assertThat(expected.finish()).isEqualTo(finish);
    try (Speculative s = drafting(text, 5)) {
      Generation actual = run(s, ends, options(stop), cancelAfter);
      assertThat(ids(actual)).isEqualTo(ids(expected));
      assertThat(actual.text()).isEqualTo(expected.text());
      assertThat(actual.finish()).isEqualTo(finish);
      assertThat(s.position()).isEqualTo(prompt.length + expected.tokens().size() - 1);
    }
  }

  @Test
  void aTokenSaysWhoDraftedIt() {
    int[] text = text();
    try (Speculative s = drafting(text, 5)) {
      Generation g = run(s, List.of(), options(List.of()), -1);
      List<String> sources =
          g.tokens().stream().map(t -> t.draft().orElse("model")).distinct().toList();
      assertThat(sources).containsExactlyInAnyOrder("model", "oracle");
      long drafted = g.tokens().stream().filter(t -> t.draft().isPresent()).count();
      SpeculationReport report = s.speculation();
      assertThat(report.sources().get("oracle").accepted())
          .as("all but perhaps the last, which is not read")
          .isBetween((int) drafted - 1, (int) drafted);
      assertThat(report.passes() + report.sources().get("oracle").accepted())
          .isEqualTo(g.tokens().size() - 1);
    }
  }

  /**
   * Time is counted in passes of one token, three tenths for each token drafted and verified. The
   * drafts here are all wrong.
   */
  @Test
  void draftsThatAreNeverRightCostLessThanFivePercent() {
    int[] text = text();
    Speculative[] self = {null};
    LongSupplier passes =
        () -> {
          SpeculationReport r = self[0].speculation();
          return r.passes() * 1_000_000L + (r.rows() - r.passes()) * 300_000L;
        };
    DraftSource wrong = new Oracle(text, 100, 0.2);
    int read = 0;
    try (Speculative s =
        new Speculative(
            model.decoder(),
            List.of(wrong),
            CONTEXT,
            device,
            AdaptiveDraftLength.of(List.of(wrong)),
            passes)) {
      self[0] = s;
      // the text is short: it is read again and again, and what was learnt is kept
      while (read < 200) {
        s.rewind(0);
        s.prefill(prompt);
        for (int i = prompt.length; i < text.length; i++) {
          s.next(text[i]);
          read++;
        }
      }
      assertThat(s.speculation().passes()).isEqualTo(read);
      assertThat(s.speculation().rows()).as("it was tried").isGreaterThan(read);
      assertThat(passes.getAsLong() * 1e-6 / read).isLessThan(1.05);
    }
  }

  /**
   * The second token of many short texts, by its frequency, against the probability that the model
   * gives it over all first tokens. Some first tokens were drafted.
   */
  @Test
  void sampledTokensHaveTheModelsDistribution() {
    int texts = 4000;
    int vocab = model.config().decoder().vocab();
    double[] expected = new double[vocab];
    int[] text = new int[prompt.length + 2];
    System.arraycopy(prompt, 0, text, 0, prompt.length);
    try (FullDepth full = new FullDepth(model.decoder(), CONTEXT, device)) {
      float[] first = full.prefill(prompt).logits().clone();
      text[prompt.length] = Sampler.argmax(first);
      double[] p = topFour(first);
      for (int i = 0; i < vocab; i++) {
        if (p[i] > 0) {
          full.rewind(prompt.length);
          float[] second = full.next(i).logits().clone();
          if (i == text[prompt.length]) {
            text[prompt.length + 1] = Sampler.argmax(second);
          }
          double[] q = topFour(second);
          for (int j = 0; j < vocab; j++) {
            expected[j] += p[i] * q[j] * texts;
          }
        }
      }
    }
    int[] found = new int[vocab];
    int accepted;
    try (Speculative s = drafting(text, 1)) {
      for (long seed = 0; seed < texts; seed++) {
        Sampler sampler = new Sampler(new SamplingOptions(1, 4, 1, 0, 1, seed), vocab);
        // the prompt's last token is read by a pass that drafts the first token
        s.rewind(0);
        s.prefill(Arrays.copyOf(prompt, prompt.length - 1));
        Step step = s.next(prompt[prompt.length - 1]);
        step = s.next(sampler.choose(step.logits(), s.position()));
        found[sampler.choose(step.logits(), s.position())]++;
      }
      accepted = s.speculation().sources().get("oracle").accepted();
    }
    assertThat(accepted).as("first tokens that were drafted").isBetween(texts / 10, texts * 9 / 10);
    double chiSquare = 0;
    int cells = 0;
    double rareExpected = 0;
    int rareFound = 0;
    for (int j = 0; j < vocab; j++) {
      assertThat(found[j] > 0 && expected[j] == 0).isFalse();
      if (expected[j] >= 5) {
        chiSquare += (found[j] - expected[j]) * (found[j] - expected[j]) / expected[j];
        cells++;
      } else {
        rareExpected += expected[j];
        rareFound += found[j];
      }
    }
    assertThat((double) rareFound).isLessThan(rareExpected + 5 * Math.sqrt(rareExpected + 1));
    // mean cells - 1, variance twice that: four deviations
    assertThat(cells).isGreaterThan(3);
    assertThat(chiSquare).isLessThan(cells - 1 + 4 * Math.sqrt(2.0 * (cells - 1)));
  }

  /** Probabilities at temperature 1 among the four most likely. */
  private static double[] topFour(float[] logits) {
    float[] left = logits.clone();
    double[] p = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < 4; i++) {
      int best = Sampler.argmax(left);
      p[best] = Math.exp(logits[best]);
      sum += p[best];
      left[best] = Float.NEGATIVE_INFINITY;
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }
}

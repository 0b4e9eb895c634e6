package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.speculative.DraftSource;
import dev.sortie.eetuning.decode.speculative.EarlyExitDraft;
import dev.sortie.eetuning.decode.speculative.PromptLookup;
import dev.sortie.eetuning.decode.speculative.Speculative;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** On real models, with drafts as users get them: tokens and logits have the bits of full depth. */
class SpeculativeParityTest {
  private static final String PROMPT =
      "Once upon a time, there was a little girl named Lily. Lily had a ball. The ball was red. Lily liked the";

  private static Bench bench;

  @BeforeAll
  static void open() {
    bench = Bench.open(2);
  }

  @AfterAll
  static void close() {
    bench.close();
  }

  private record Token(int id, float[] logits, double confidence) {}

  private static List<Token> decode(
      LanguageModel model, DecodingStrategy s, SamplingOptions sampling, int count) {
    Sampler sampler = new Sampler(sampling, model.config().decoder().vocab());
    List<Token> tokens = new ArrayList<>();
    Step step = s.prefill(model.tokenizer().encode(PROMPT));
    for (int i = 0; i < count; i++) {
      int id = sampler.choose(step.logits(), s.position());
      tokens.add(new Token(id, step.logits().clone(), step.confidence()));
      step = i + 1 < count ? s.next(id) : step;
    }
    return tokens;
  }

  /** Compares; returns what was drafted. */
  private static SpeculationReport check(
      LanguageModel model, double temperature, boolean exit, int count) {
    SamplingOptions sampling = new SamplingOptions(temperature, 0, 1, 0, 1, 11);
    int capacity = model.tokenizer().encode(PROMPT).length + count;
    List<Token> expected;
    try (FullDepth full = new FullDepth(model.decoder(), capacity, bench.device())) {
      expected = decode(model, full, sampling, count);
    }
    List<DraftSource> sources = new ArrayList<>(List.of(new PromptLookup(capacity)));
    int layers = model.config().decoder().layers();
    if (exit) {
      ExitSpec spec = new ExitSpec(layers - 1, ExitArchitecture.LAYER, false);
      sources.add(
          new EarlyExitDraft(
              ExitInit.COPY.build(spec, model.decoder(), 0, bench.arena(), bench.kernels()),
              layers,
              0.3,
              capacity));
    }
    try (Speculative s = new Speculative(model.decoder(), sources, capacity, bench.device())) {
      List<Token> actual = decode(model, s, sampling, count);
      for (int i = 0; i < count; i++) {
        assertThat(actual.get(i).id).as("token %d", i).isEqualTo(expected.get(i).id);
        assertThat(actual.get(i).logits).as("logits %d", i).isEqualTo(expected.get(i).logits);
        assertThat(actual.get(i).confidence).isEqualTo(expected.get(i).confidence);
      }
      return s.speculation();
    }
  }

  private static int accepted(SpeculationReport report, String source) {
    return report.sources().get(source).accepted();
  }

  @Test
  void storiesUpToTheContextLimitHaveTheBitsOfFullDepth() {
    try (LanguageModel model =
        LanguageModel.load(Fixture.shared("models/stories260K"), Precision.FILE, bench.device())) {
      int room = model.config().decoder().context() - model.tokenizer().encode(PROMPT).length;
      int accepted = 0;
      for (double temperature : new double[] {0, 0.8}) {
        for (boolean exit : new boolean[] {false, true}) {
          SpeculationReport report = check(model, temperature, exit, room);
          accepted += accepted(report, PromptLookup.NAME);
        }
      }
      assertThat(accepted).as("right draft tokens, without which nothing is shown").isPositive();
    }
  }

  @Test
  void smolLm2HasTheBitsOfFullDepthInBf16AndInTheFilesBlocks() {
    Assumptions.assumeFalse(
        bench.kernels().name().equals("scalar"), "takes minutes on the scalar kernels");
    var file =
        Fixture.shared("models/SmolLM2-135M-Instruct").resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
    try (LanguageModel model = LanguageModel.load(file, Precision.BF16, bench.device())) {
      assertThat(accepted(check(model, 0, false, 32), PromptLookup.NAME)).isPositive();
    }
    try (LanguageModel model = LanguageModel.load(file, Precision.FILE, bench.device())) {
      check(model, 0.8, true, 12);
    }
  }
}

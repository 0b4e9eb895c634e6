package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever drafts, and whatever, the text and its logits have the bits of full depth. */
class SpeculativeContractTest {
  private static final int LAYERS = 3;
  private static final int CONTEXT = TinyModel.CONTEXT;
  private static final int[] PROMPT = {11, 22, 33, 22, 33};
  private static final SamplingOptions WARM = new SamplingOptions(0.3, 0, 1, 0, 1, 5);

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;

  @BeforeAll
  static void load() {
    device = Device.cpu(1);
    model = LanguageModel.load(TinyModel.write(folder.resolve("model"), 1), Precision.F32, device);
    arena = new NativeArena("exits");
  }

  @AfterAll
  static void close() {
    arena.close();
    model.close();
    device.close();
  }

  /** A way to draft. */
  record Setting(
      String name, int length, java.util.function.Function<int[], List<DraftSource>> make) {
    @Override
    public String toString() {
      return name + ", " + (length == 0 ? "adaptive" : "up to " + length);
    }

    /** A strategy that drafts this way; {@code text} is what full depth gives. */
    Speculative open(int[] text, int capacity) {
      Decoder decoder = model.decoder();
      List<DraftSource> sources = make.apply(text);
      return length == 0
          ? new Speculative(decoder, sources, capacity, device)
          : new Speculative(
              decoder, sources, capacity, device, new FixedDraftLength(length), System::nanoTime);
    }
  }

  static Stream<Setting> settings() {
    List<Setting> all = new ArrayList<>();
    for (int length : new int[] {0, 1, 4, Speculative.MAX_DRAFT}) {
      all.add(new Setting("nobody", length, text -> List.of()));
      all.add(new Setting("prompt look-up", length, text -> List.of(new PromptLookup(CONTEXT))));
      for (int wrong : new int[] {0, 3, 100}) {
        all.add(
            new Setting(
                "an oracle wrong in " + wrong + " %",
                length,
                text -> List.of(new Oracle(text, wrong, 0))));
      }
      for (ExitArchitecture a : ExitArchitecture.values()) {
        for (int depth : new int[] {1, 2}) {
          all.add(
              new Setting(
                  "exit " + a.word() + " at " + depth,
                  length,
                  text -> List.of(exit(a, depth, 0.02 * depth))));
        }
      }
      for (int draft : new int[] {0, 90}) {
        for (double threshold : new double[] {0, 0.02}) {
          all.add(
              new Setting(
                  "lookahead over " + draft + " tokens above " + threshold,
                  length,
                  text -> List.of(lookahead(List.of(), draft, threshold))));
        }
        all.add(
            new Setting(
                "exit over " + draft + " tokens", length, text -> List.of(draftExit(draft))));
      }
      for (List<Integer> features : List.of(List.of(1, 2), List.of(1, 3), List.of(2))) {
        all.add(
            new Setting(
                "lookahead from layers " + features,
                length,
                text -> List.of(lookahead(features, 90, 0.02))));
      }
      all.add(
          new Setting(
              "look-up, lookahead and an exit",
              length,
              text ->
                  List.of(
                      new PromptLookup(CONTEXT),
                      lookahead(List.of(1, 2), 90, 0.01),
                      exit(ExitArchitecture.LAYER, 2, 0))));
      all.add(
          new Setting(
              "look-up, an oracle that costs, or an exit",
              length,
              text ->
                  List.of(
                      new PromptLookup(CONTEXT),
                      new Oracle(text, 30, 0.3),
                      exit(ExitArchitecture.LAYER, 2, 0))));
    }
    return all.stream();
  }

  private static LookaheadDraft lookahead(List<Integer> features, int draft, double threshold) {
    Lookahead exit =
        ExitInit.COPY.lookahead(
            features, false, draft, model.decoder(), 0, arena, device.kernels());
    return new LookaheadDraft(exit, model.decoder(), threshold, CONTEXT);
  }

  private static EarlyExitDraft draftExit(int draft) {
    Exit exit =
        ExitInit.COPY.build(
            new ExitSpec(2, ExitArchitecture.LAYER, false, draft),
            model.decoder(),
            0,
            arena,
            device.kernels());
    return new EarlyExitDraft(exit, LAYERS, 0, CONTEXT);
  }

  private static EarlyExitDraft exit(ExitArchitecture a, int depth, double threshold) {
    Exit exit =
        ExitInit.COPY.build(
            new ExitSpec(depth, a, true), model.decoder(), 0, arena, device.kernels());
    return new EarlyExitDraft(exit, LAYERS, threshold, CONTEXT);
  }

  /** A token and what it was chosen from. */
  private record Row(int id, float[] logits, double confidence) {}

  /** Fills the context after {@link #PROMPT}. */
  private static List<Row> decode(DecodingStrategy s, SamplingOptions sampling) {
    Sampler sampler = new Sampler(sampling, model.config().decoder().vocab());
    List<Row> rows = new ArrayList<>();
    Step step = s.prefill(PROMPT);
    while (true) {
      int id = sampler.choose(step.logits(), s.position());
      assertThat(step.exit()).isEmpty();
      rows.add(new Row(id, step.logits().clone(), step.confidence()));
      if (s.position() == CONTEXT) {
        return rows;
      }
      step = s.next(id);
    }
  }

  private static int[] ids(List<Row> rows) {
    return rows.stream().mapToInt(Row::id).toArray();
  }

  private static List<Row> full(SamplingOptions sampling) {
    try (FullDepth full = new FullDepth(model.decoder(), CONTEXT, device)) {
      return decode(full, sampling);
    }
  }

  private static int[] text(List<Row> rows) {
    int[] text = Arrays.copyOf(PROMPT, PROMPT.length + rows.size());
    System.arraycopy(ids(rows), 0, text, PROMPT.length, rows.size());
    return text;
  }

  private static void same(List<Row> actual, List<Row> expected) {
    assertThat(ids(actual)).isEqualTo(ids(expected));
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i).logits).as("logits %d", i).isEqualTo(expected.get(i).logits);
      assertThat(actual.get(i).confidence).isEqualTo(expected.get(i).confidence);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void greedyTextUpToTheContextLimitHasTheBitsOfFullDepth(Setting setting) {
    List<Row> expected = full(SamplingOptions.GREEDY);
    try (Speculative s = setting.open(text(expected), CONTEXT)) {
      same(decode(s, SamplingOptions.GREEDY), expected);
      assertThatThrownBy(() -> s.next(1))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("room for " + CONTEXT);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void sampledTextHasTheBitsOfFullDepthWithTheSameSeed(Setting setting) {
    for (long seed = 0; seed < 6; seed++) {
      SamplingOptions sampling = new SamplingOptions(seed < 3 ? 0.2 : 1, 0, 1, 0, 1.1, seed);
      List<Row> expected = full(sampling);
      try (Speculative s = setting.open(text(expected), CONTEXT)) {
        same(decode(s, sampling), expected);
      }
    }
  }

  /** The same reads, cuts and prompts in the middle on both sides, at random. */
  @ParameterizedTest
  @MethodSource("settings")
  void whateverIsReadOrForgottenTheLogitsAreThoseOfFullDepth(Setting setting) {
    int[] text = text(full(SamplingOptions.GREEDY));
    Random random = new Random(3);
    try (FullDepth full = new FullDepth(model.decoder(), CONTEXT, device);
        Speculative s = setting.open(text, CONTEXT)) {
      Step expected = full.prefill(PROMPT);
      Step actual = s.prefill(PROMPT);
      for (int i = 0; i < 300; i++) {
        assertThat(actual.logits()).as("step %d", i).isEqualTo(expected.logits());
        assertThat(s.position()).isEqualTo(full.position());
        int what = random.nextInt(12);
        int position = full.position();
        int[] more = random.ints(random.nextInt(1, 9), 0, 8).toArray();
        if (what == 0 || position + more.length > CONTEXT) {
          int kept = random.nextInt(position);
          full.rewind(kept);
          s.rewind(kept);
          more = what < 6 ? more : new int[] {random.nextInt(8)};
          if (kept + more.length > CONTEXT) {
            more = new int[] {1};
          }
          expected = full.prefill(more);
          actual = s.prefill(more);
        } else if (what == 1) {
          expected = full.prefill(more);
          actual = s.prefill(more);
        } else {
          int token = what < 6 ? text[position] : what < 8 ? more[0] : argmax(expected.logits());
          expected = full.next(token);
          actual = s.next(token);
        }
      }
    }
  }

  private static int argmax(float[] logits) {
    return Sampler.argmax(logits);
  }

  @Test
  void rightDraftsNeedNoPassAndAreTraced() {
    int[] text = text(full(SamplingOptions.GREEDY));
    Setting right = new Setting("right", 7, t -> List.of(new Oracle(t, 0, 0)));
    try (Speculative s = right.open(text, CONTEXT)) {
      Step step = s.prefill(PROMPT);
      for (int p = PROMPT.length; p < CONTEXT; p++) {
        // one token chosen, seven drafted: each eighth comes from the model alone
        assertThat(step.sourceOf(text[p]).isPresent())
            .as("token %d", p)
            .isEqualTo((p - PROMPT.length) % 8 != 0);
        assertThat(step.sourceOf(text[p] + 1)).isEmpty();
        step = s.next(text[p]);
      }
      int read = CONTEXT - PROMPT.length;
      assertThat(s.speculation().passes()).isEqualTo((read + 7) / 8);
      assertThat(s.speculation().rows()).isEqualTo(read);
      assertThat(s.speculation().sources().get("oracle").accepted())
          .isEqualTo(s.speculation().sources().get("oracle").verified())
          .isEqualTo(read - (read + 7) / 8);
    }
  }

  /** Otherwise the equalities above would say nothing of drafts. */
  @Test
  void allSourcesAreRightAtTimesAndWrongAtTimes() {
    for (Setting setting : settings().filter(s -> s.length == 4).toList()) {
      if (setting.name.equals("nobody") || setting.name.startsWith("an oracle")) {
        continue;
      }
      int verified = 0;
      int accepted = 0;
      for (SamplingOptions sampling : new SamplingOptions[] {SamplingOptions.GREEDY, WARM}) {
        List<Row> expected = full(sampling);
        try (Speculative s = setting.open(text(expected), CONTEXT)) {
          decode(s, sampling);
          for (var counts : s.speculation().sources().values()) {
            verified += counts.verified();
            accepted += counts.accepted();
          }
        }
      }
      assertThat(accepted).as(setting.toString()).isPositive().isLessThan(verified);
    }
  }

  @Test
  void whatASourceSeesAreTheStatesOfTheText() {
    List<Row> expected = full(SamplingOptions.GREEDY);
    Watcher watcher = new Watcher(text(expected));
    try (Speculative s =
        new Speculative(
            model.decoder(),
            List.of(watcher),
            CONTEXT,
            device,
            new FixedDraftLength(3),
            System::nanoTime)) {
      same(decode(s, SamplingOptions.GREEDY), expected);
      assertThat(watcher.asked).isGreaterThan(9);
    }
  }

  /** Sees to it that the final states give the logits that the text was chosen from. */
  private static final class Watcher implements DraftSource {
    private final Oracle oracle;
    private final int[] text;
    private int asked;

    Watcher(int[] text) {
      this.text = text;
      this.oracle = new Oracle(text, 40, 0);
    }

    @Override
    public String name() {
      return "watcher";
    }

    @Override
    public Draft draft(DraftContext context, int max) {
      asked++;
      int last = context.length() - 1;
      int layers = context.decoder().config().layers();
      assertThat(context.featuresFrom()).isEqualTo(PROMPT.length - 1);
      for (int p = context.featuresFrom(); p < last; p++) {
        float[] logits =
            context
                .decoder()
                .logits(context.ops(), Sequence.lastRow(context.features(layers, p, p + 1)))
                .toFloats();
        assertThat(argmax(logits)).isEqualTo(text[p + 1]).isEqualTo(context.token(p + 1));
      }
      assertThatThrownBy(() -> context.features(layers, last, last + 1))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> context.hidden(0, 1)).isInstanceOf(IllegalArgumentException.class);
      return oracle.draft(context, max);
    }

    @Override
    public void rewind(int count) {}

    @Override
    public double cost() {
      return 0;
    }

    @Override
    public List<Integer> features() {
      return List.of(model.config().decoder().layers());
    }

    @Override
    public void close() {}
  }

  @Test
  void aSourceThatDraftsOtherTokensThanItRanIsRefused() {
    EarlyExitDraft honest = exit(ExitArchitecture.NORM, 1, 0);
    DraftSource liar =
        new DraftSource() {
          @Override
          public String name() {
            return "liar";
          }

          @Override
          public Draft draft(DraftContext context, int max) {
            int[] tokens = honest.draft(context, max).tokens();
            tokens[0]++;
            return new Draft(tokens, 0);
          }

          @Override
          public void rewind(int count) {
            honest.rewind(count);
          }

          @Override
          public double cost() {
            return 0.5;
          }

          @Override
          public int depth() {
            return 1;
          }

          @Override
          public void close() {
            honest.close();
          }
        };
    try (Speculative s =
        new Speculative(
            model.decoder(),
            List.of(liar),
            CONTEXT,
            device,
            new FixedDraftLength(3),
            System::nanoTime)) {
      s.prefill(PROMPT);
      assertThatThrownBy(() -> s.next(1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("liar");
    }
  }

  @Test
  void twoDepthsAreRefused() {
    try (EarlyExitDraft one = exit(ExitArchitecture.NORM, 1, 0);
        EarlyExitDraft two = exit(ExitArchitecture.NORM, 2, 0)) {
      assertThatThrownBy(() -> new Speculative(model.decoder(), List.of(one, two), CONTEXT, device))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("[1, 2]");
    }
  }
}

package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicies;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.eetuning.exit.Gates;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is drafted, each token leaves where it does without drafts, with the same bits. */
@Tag("slow")
class DraftedEarlyExitContractTest {
  private static final int LAYERS = 3;
  private static final int CONTEXT = TinyModel.CONTEXT;
  private static final int[] PROMPT = {11, 22, 33, 22, 33};

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

  /** Exits and when they are taken. */
  private record Setting(String name, Exits exits, ExitPolicy policy, int maxPending) {
    EarlyExit open(Drafter drafter) {
      return new EarlyExit(model.decoder(), exits, policy, CONTEXT, maxPending, drafter, device);
    }

    @Override
    public String toString() {
      return name + ", " + maxPending + " may wait";
    }
  }

  static Stream<Setting> settings() {
    Exits drafted =
        FinalDraft.add(
            exits(
                exit(1, ExitArchitecture.LAYER, 60, false),
                exit(2, ExitArchitecture.MLP, 90, false)));
    Exits whole =
        exits(exit(1, ExitArchitecture.NORM, 0, true), exit(2, ExitArchitecture.LAYER, 0, true));
    List<Setting> all = new ArrayList<>();
    for (int pending : new int[] {0, 3, EarlyExit.MAX_PENDING}) {
      for (double x : new double[] {0.015, 0.03, 0.06}) {
        ExitThresholds each = new ExitThresholds(new TreeMap<>(Map.of(1, x, 2, x, 3, x / 2)));
        all.add(new Setting("draft heads at " + x, drafted, each, pending));
      }
      for (String policy : ExitPolicies.names()) {
        double x = policy.equals("margin") ? 0.004 : 0.02;
        all.add(new Setting(policy, whole, ExitPolicies.of(policy, x, 2, 0.5), pending));
      }
    }
    return all.stream();
  }

  private static Exits exits(Exit... list) {
    return new Exits(model.sha256(), Map.of(), List.of(list));
  }

  /** An exit, with a probe that says yes to some tokens. */
  private static Exit exit(int depth, ExitArchitecture a, int draft, boolean probed) {
    ExitSpec spec = new ExitSpec(depth, a, false, draft);
    Exit exit = ExitInit.COPY.build(spec, model.decoder(), 1, arena, device.kernels());
    if (!probed) {
      return exit;
    }
    float[] w = new float[model.config().decoder().hidden()];
    for (int i = 0; i < w.length; i++) {
      w[i] = i % 2 == 0 ? 1 : -1;
    }
    Gate probe =
        new Gate(
            Tensor.of(arena, Shape.of(w.length), w),
            Tensor.of(arena, Shape.of(1), 0),
            1e-5,
            new Gate.Report(1, 0, 0));
    return exit.with(new Gates(Optional.of(probe), Optional.empty()));
  }

  private static Drafter oracle(int[] text, int wrong, int length) {
    DraftSource source = new Oracle(text, wrong, 0);
    return new VerificationRounds(
        List.of(source),
        DraftStates.NONE,
        length == 0 ? AdaptiveDraftLength.of(List.of(source)) : new FixedDraftLength(length),
        System::nanoTime,
        CONTEXT);
  }

  /** A token and what it was chosen from. */
  private record Row(int id, int exit, float[] logits, double confidence) {
    static Row of(int id, Step step) {
      return new Row(id, step.exit().orElse(0), step.logits().clone(), step.confidence());
    }
  }

  /** Fills the context after {@link #PROMPT}. */
  private static List<Row> decode(EarlyExit e, SamplingOptions sampling) {
    Sampler sampler = new Sampler(sampling, model.config().decoder().vocab());
    List<Row> rows = new ArrayList<>();
    Step step = e.prefill(PROMPT);
    while (true) {
      int id = sampler.choose(step.logits(), e.position());
      rows.add(Row.of(id, step));
      if (e.position() == CONTEXT) {
        return rows;
      }
      step = e.next(id);
    }
  }

  private static int[] text(List<Row> rows) {
    return IntStream.concat(Arrays.stream(PROMPT), rows.stream().mapToInt(Row::id)).toArray();
  }

  private static void same(List<Row> actual, List<Row> expected) {
    assertThat(actual.stream().map(Row::exit)).isEqualTo(expected.stream().map(Row::exit).toList());
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i).id).as("token %d", i).isEqualTo(expected.get(i).id);
      assertThat(actual.get(i).logits).as("logits %d", i).isEqualTo(expected.get(i).logits);
      assertThat(actual.get(i).confidence).isEqualTo(expected.get(i).confidence);
    }
  }

  @Test
  void tokensLeaveEverywhere() {
    int[] left = new int[LAYERS + 1];
    settings()
        .forEach(
            s -> {
              try (EarlyExit plain = s.open(Drafter.NONE)) {
                decode(plain, SamplingOptions.GREEDY).forEach(r -> left[r.exit]++);
              }
            });
    assertThat(left).doesNotContain(0);
  }

  @ParameterizedTest
  @MethodSource("settings")
  void textsUpToTheContextLimitAreThoseWithoutDrafts(Setting setting) {
    for (int seed = 0; seed < 3; seed++) {
      SamplingOptions sampling =
          seed == 0 ? SamplingOptions.GREEDY : new SamplingOptions(0.5 * seed, 0, 1, 0, 1.1, seed);
      List<Row> expected;
      List<List<float[]>> caches;
      try (EarlyExit plain = setting.open(Drafter.NONE)) {
        expected = decode(plain, sampling);
        caches = caches(plain);
        assertThat(plain.speculation().passes()).isZero();
      }
      for (int length : new int[] {0, 1, 5, Speculative.MAX_DRAFT}) {
        for (int wrong : new int[] {0, 20, 100}) {
          try (EarlyExit e = setting.open(oracle(text(expected), wrong, length))) {
            same(decode(e, sampling), expected);
            assertThat(caches(e)).usingRecursiveComparison().isEqualTo(caches);
            assertThatThrownBy(() -> e.next(1))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("room for " + CONTEXT);
            SpeculationReport report = e.speculation();
            if (length > 1 && wrong == 0) {
              assertThat(report.passes()).isLessThan(expected.size() / 2);
            }
          }
        }
      }
    }
  }

  private static List<List<float[]>> caches(EarlyExit e) {
    return IntStream.range(0, LAYERS)
        .mapToObj(i -> e.completedCache(i).stream().map(Tensor::toFloats).toList())
        .toList();
  }

  /** The same reads, cuts and prompts in the middle on both sides, at random. */
  @ParameterizedTest
  @MethodSource("settings")
  void whateverIsReadOrForgottenTokensLeaveWhereTheyDoWithoutDrafts(Setting setting) {
    int[] text;
    try (EarlyExit plain = setting.open(Drafter.NONE)) {
      text = text(decode(plain, SamplingOptions.GREEDY));
    }
    Random random = new Random(3);
    try (EarlyExit plain = setting.open(Drafter.NONE);
        EarlyExit drafted = setting.open(oracle(text, 20, 4))) {
      Step expected = plain.prefill(PROMPT);
      Step actual = drafted.prefill(PROMPT);
      for (int i = 0; i < 200; i++) {
        assertThat(actual.logits()).as("step %d", i).isEqualTo(expected.logits());
        assertThat(actual.exit()).isEqualTo(expected.exit());
        assertThat(drafted.position()).isEqualTo(plain.position());
        if (random.nextInt(10) == 0) {
          assertThat(caches(drafted)).usingRecursiveComparison().isEqualTo(caches(plain));
        }
        int position = plain.position();
        int what = random.nextInt(12);
        int[] more = random.ints(random.nextInt(1, 9), 0, 8).toArray();
        if (what == 0 || position + more.length > CONTEXT) {
          int kept = random.nextInt(position);
          plain.rewind(kept);
          drafted.rewind(kept);
          more = kept + more.length > CONTEXT ? new int[] {1} : more;
          expected = plain.prefill(more);
          actual = drafted.prefill(more);
        } else if (what == 1) {
          int kept = random.nextInt(position);
          plain.rewind(kept);
          drafted.rewind(kept);
          expected = plain.next(text[kept]);
          actual = drafted.next(text[kept]);
        } else {
          int token = what < 10 ? text[position] : more[0];
          expected = plain.next(token);
          actual = drafted.next(token);
        }
      }
    }
  }
}

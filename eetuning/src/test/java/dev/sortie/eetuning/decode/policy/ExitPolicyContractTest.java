package dev.sortie.eetuning.decode.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.Softmax;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.ExitAgreement;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.LowEntropy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.eetuning.exit.Gates;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExitPolicyContractTest {
  private static final int TOKENS = 30;
  private static final int[] PROMPT = {5, 17, 40, 3};

  @TempDir private Path temp;

  private final Device device = Device.cpu(1);
  private final NativeArena arena = new NativeArena("test");
  private final Workspace workspace = new Workspace();
  private final Ops ops = new Ops(device, workspace);
  private LanguageModel model;

  @BeforeEach
  void load() {
    model = LanguageModel.load(TinyModel.write(temp.resolve("model"), 1), Precision.F32, device);
  }

  @AfterEach
  void close() {
    model.close();
    workspace.close();
    arena.close();
    device.close();
  }

  private Exit exit(int depth, ExitArchitecture architecture, int draft) {
    return ExitInit.COPY.build(
        new ExitSpec(depth, architecture, false, draft),
        model.decoder(),
        1,
        arena,
        device.kernels());
  }

  private Gate gate(double weight, double bias) {
    float[] w = new float[model.config().decoder().hidden()];
    Arrays.fill(w, (float) weight);
    return new Gate(
        Tensor.of(arena, Shape.of(w.length), w),
        Tensor.of(arena, Shape.of(1), (float) bias),
        1e-5,
        new Gate.Report(1, 0, 0));
  }

  private Exits exits(Exit... list) {
    return new Exits(model.sha256(), Map.of(), List.of(list));
  }

  private Tensor state(int seed) {
    int width = model.config().decoder().hidden();
    Tensor x = Tensor.allocate(arena, dev.sortie.tensor.dtype.DType.F32, Shape.of(1, width));
    Random random = new Random(seed, 0);
    for (int i = 0; i < width; i++) {
      x.span().set(i, 2 * random.normal(i));
    }
    return x;
  }

  private ExitEvidence evidence(Exit e, Tensor x, ExitEvidence.Said before) {
    return new ExitEvidence(ops, e, x, ExitAnswer.of(ops, e, e.headLogits(ops, x)), before);
  }

  @Test
  void measuresAreThoseOfTheDefinitions() {
    Exit plain = exit(1, ExitArchitecture.NORM, 0);
    Exit drafted =
        exit(1, ExitArchitecture.NORM, 30)
            .with(new Gates(Optional.empty(), Optional.of(gate(0.1, 0.4))));
    for (Exit e : List.of(plain, drafted)) {
      for (int seed = 1; seed < 6; seed++) {
        Tensor x = state(seed);
        double[] p = Softmax.of(e.headLogits(ops, x).toFloats());
        double coverage = e.gates().coverage().map(g -> g.probability(ops, x)).orElse(1.0);
        double[] sorted = p.clone();
        Arrays.sort(sorted);
        double first = sorted[p.length - 1];
        double entropy = Arrays.stream(p).map(q -> q == 0 ? 0 : -q * Math.log(q)).sum();
        ExitEvidence evidence = evidence(e, x, null);
        assertThat(evidence.depth()).isEqualTo(1);
        assertThat(evidence.tokens()).isEqualTo(p.length);
        assertThat(p[e.draft().map(d -> d.index(evidence.token())).orElse(evidence.token())])
            .isEqualTo(first);
        assertThat(evidence.maxProbability()).isCloseTo(coverage * first, within(1e-6));
        assertThat(evidence.margin())
            .isCloseTo(coverage * (first - sorted[p.length - 2]), within(1e-6));
        assertThat(evidence.entropy()).isCloseTo(entropy, within(1e-5));
        assertThat(new LowEntropy(0.5).confidence(evidence))
            .isCloseTo(coverage * (1 - entropy / Math.log(p.length)), within(1e-5));
      }
    }
  }

  /**
   * What the head covers in addition to them is as likely as it says, but all together at most 1.
   */
  @Test
  void aCoverageGateSpeaksOfTheTokensThatAreCoveredInAnyText() {
    Set<Boolean> certain = new HashSet<>();
    for (double bias : new double[] {-3, 3}) {
      Exit e =
          exit(1, ExitArchitecture.NORM, 30)
              .with(new Gates(Optional.empty(), Optional.of(gate(0.1, bias))));
      TextTokens text = new TextTokens(List.of(e), 8, arena);
      text.read(ops, 0, 100, 5, 200, 150);
      for (int seed = 1; seed < 6; seed++) {
        Tensor x = state(seed);
        Tensor stored = e.headLogits(ops, x);
        ExitAnswer answer = text.answer(ops, e, x, stored, 4);
        double known = Arrays.stream(doubles(stored)).map(Math::exp).sum();
        double[] all = Arrays.stream(doubles(answer.logits())).map(Math::exp).toArray();
        double sum = Arrays.stream(all).sum();
        double says = e.gates().coverage().orElseThrow().probability(ops, x);
        double best = Arrays.stream(all).max().orElseThrow();
        double likely = Math.min(says * best / known, best / sum);
        certain.add(says * sum > known);
        ExitEvidence evidence = new ExitEvidence(ops, e, x, answer, null);
        assertThat(evidence.tokens()).isEqualTo(33);
        assertThat(evidence.maxProbability()).isCloseTo(likely, within(1e-6));
      }
    }
    assertThat(certain).hasSize(2);
  }

  private static double[] doubles(Tensor x) {
    return IntStream.range(0, (int) x.shape().count()).mapToDouble(x.span()::get).toArray();
  }

  @Test
  void aGateIsALogisticRegressionOnTheNormedState() {
    Tensor x = state(3);
    double square = 0;
    double sum = 0;
    for (float v : x.toFloats()) {
      square += (double) v * v;
      sum += 0.3 * v;
    }
    double z = sum / Math.sqrt(square / x.shape().count() + 1e-5) - 0.2;
    assertThat(gate(0.3, -0.2).probability(ops, x)).isCloseTo(1 / (1 + Math.exp(-z)), within(1e-6));
  }

  @Test
  void agreementCountsExitsInARow() {
    Exit e = exit(1, ExitArchitecture.NORM, 0);
    Tensor x = state(1);
    Tensor other = state(2);
    ExitEvidence one = evidence(e, x, null);
    ExitEvidence two = evidence(e, x, one.said());
    ExitEvidence differs = evidence(e, other, two.said());
    assertThat(differs.token()).isNotEqualTo(one.token());
    assertThat(List.of(one.agreeing(), two.agreeing(), differs.agreeing()))
        .containsExactly(1, 2, 1);
    ExitAgreement policy = new ExitAgreement(0, 2);
    assertThat(policy.confidence(one)).isZero();
    assertThat(policy.confidence(two)).isEqualTo(two.maxProbability());
    assertThat(policy.exits(1, policy.confidence(one))).isFalse();
    assertThat(policy.exits(1, policy.confidence(two))).isTrue();
    assertThat(policy.exits(1, policy.confidence(differs))).isFalse();
  }

  /** Depths and tokens of a greedy text. */
  private List<String> trace(Exits exits, ExitPolicy policy) {
    List<String> trace = new ArrayList<>();
    try (EarlyExit early =
        new EarlyExit(model.decoder(), exits, policy, PROMPT.length + TOKENS, 15, device)) {
      Step step = early.prefill(PROMPT);
      for (int i = 0; i < TOKENS; i++) {
        int token = Sampler.argmax(step.logits());
        trace.add(step.exit() + " " + token + " " + step.confidence());
        step = early.next(token);
      }
    }
    return trace;
  }

  static List<String> names() {
    return ExitPolicies.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void thresholdsGoFromAlwaysToNeverAndRunsRepeat(String name) {
    Gates open = new Gates(Optional.of(gate(0, 20)), Optional.empty());
    Exits exits =
        exits(
            exit(1, ExitArchitecture.LAYER, 60).with(open),
            exit(2, ExitArchitecture.NORM, 0).with(open));
    List<String> never = trace(exits, ExitPolicies.of(name, 1, 2, 0.5));
    assertThat(never).noneMatch(s -> s.startsWith(OptionalInt.of(1) + "")).hasSize(TOKENS);
    assertThat(new TreeSet<>(never.stream().map(s -> s.split(" ")[0]).toList()))
        .containsExactly(OptionalInt.empty().toString());
    List<String> always = trace(exits, ExitPolicies.of(name, 0, 1, 0));
    assertThat(always.subList(1, TOKENS)).anyMatch(s -> s.startsWith(OptionalInt.of(1).toString()));
    assertThat(trace(exits, ExitPolicies.of(name, 0, 1, 0))).isEqualTo(always);
  }

  @Test
  void aProbeThatSaysNoKeepsTheExitFromBeingAsked() {
    Gates shut = new Gates(Optional.of(gate(0, -20)), Optional.empty());
    Exits exits = exits(exit(1, ExitArchitecture.LAYER, 60).with(shut));
    LearnedProbe policy = new LearnedProbe(new MaxProbability(0), 0.5);
    List<String> trace = trace(exits, policy);
    assertThat(trace).allMatch(s -> s.startsWith(OptionalInt.empty().toString()));
    assertThat(trace).isEqualTo(trace(exits(), new MaxProbability(0.5)));
  }

  @Test
  void aProbePolicyNeedsProbes() {
    Exits exits = exits(exit(2, ExitArchitecture.NORM, 0));
    assertThatThrownBy(() -> trace(exits, ExitPolicies.of("probe", 0.5, 2, 0.5)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("layer 2")
        .hasMessageContaining("--gate-tokens");
  }

  @Test
  void unknownNamesAndBadNumbersAreRefused() {
    assertThatThrownBy(() -> ExitPolicies.of("guess", 0.5, 2, 0.5))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("guess")
        .hasMessageContaining("margin");
    for (String name : ExitPolicies.names()) {
      assertThatThrownBy(() -> ExitPolicies.of(name, 1.5, 2, 0.5))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("--threshold 1.5");
    }
    assertThatThrownBy(() -> ExitPolicies.of("agreement", 0.5, 0, 0.5))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--patience 0");
    assertThatThrownBy(() -> ExitPolicies.of("probe", 0.5, 2, 2))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--probe-threshold 2.0");
  }

  /** Gates are fitted to what exits and the backbone say, judged on held-out text, and kept. */
  @Test
  void fittedGatesAreReportedAndSurviveTheFile() {
    int vocab = model.config().decoder().vocab();
    Random random = new Random(4, 0);
    int[][] rows = new int[260][21];
    for (int i = 0; i < 260 * 21; i++) {
      rows[i / 21][i % 21] = random.below(i, vocab);
    }
    RowsSource data = new RowsSource(rows, 20, 1);
    TuneOptions options =
        new TuneOptions(
            Objective.KL,
            false,
            Map.of(),
            4,
            4,
            new Schedule(1e-2, 1e-2, 0, 20, Schedule.Decay.CONSTANT),
            AdamW.Options.DEFAULT,
            1);
    Exits start = exits(exit(1, ExitArchitecture.LAYER, 100), exit(2, ExitArchitecture.NORM, 0));
    try (ExitTuner tuner = new ExitTuner(model, start, options, data, device)) {
      for (int i = 0; i < 20; i++) {
        tuner.step(i);
      }
      Exits gated = tuner.gated(Map.of("steps", 20), 4800);
      Exit drafted = gated.exits().getFirst();
      Gate.Report coverage = drafted.gates().coverage().orElseThrow().report();
      assertThat(coverage.tokens()).isEqualTo(20 * 20);
      // what full depth takes here follows from the last token: a regression can learn it
      assertThat(coverage.error()).isLessThan(coverage.baseError());
      assertThat(drafted.gates().probe()).isPresent();
      assertThat(gated.exits().getLast().gates().coverage()).isEmpty();
      Path folder = temp.resolve("gated");
      ExitsFile.write(folder, gated, model);
      Exits back = ExitsReader.of(model).read(folder, arena, device.kernels());
      Gate was = drafted.gates().coverage().orElseThrow();
      Gate is = back.exits().getFirst().gates().coverage().orElseThrow();
      assertThat(is.report()).isEqualTo(was.report());
      assertThat(is.weight().toFloats()).containsExactly(was.weight().toFloats());
      assertThat(is.bias().item()).isEqualTo(was.bias().item());
      assertThat(back.exits().getLast().gates().coverage()).isEmpty();
    }
  }

  @Test
  void thresholdsOfExitsAreReadAndWrongOnesNamed() {
    ExitThresholds each = ExitThresholds.of(List.of("24=0.5", "20=1", "8=0.75"), "--threshold");
    assertThat(each.asked()).containsExactly(8, 24);
    assertThat(each.least()).isEqualTo(0.5);
    assertThat(each.exits(24, 0.5)).isTrue();
    assertThat(each.exits(20, 1)).isFalse();
    for (String wrong : List.of("24", "24=", "=0.5", "24=x", "24=1.5", "24=0.5=1", "")) {
      assertThatThrownBy(() -> ExitThresholds.of(List.of("20=0.5", wrong), "--threshold"))
          .as(wrong)
          .isInstanceOf(InputException.class);
    }
    assertThatThrownBy(() -> ExitThresholds.of(List.of("20=0.5", "20=0.6"), "--threshold"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("layer 20");
  }
}

package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.family.Families;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A tiny model of each family against the family's own class in transformers, or one written out in
 * PyTorch where it has none, which computed in float64. Gradients lie under the names of the file,
 * so the same rules that bring its weights to the decoder bring them.
 */
class FamilyParityTest {
  private static final double TOLERANCE = 1e-4;

  static Stream<String> models() {
    return Stream.of(
        "llama3",
        "llama-linear",
        "mistral",
        "qwen2",
        "qwen3",
        "smollm3",
        "gemma3",
        "phi3",
        "olmo2",
        "gpt-neox",
        "gpt2",
        "zero-token");
  }

  /** A model of the fixtures with trainable weights in F32. */
  private record Model(String name, Bench bench, HfConfig config, Decoder decoder)
      implements AutoCloseable {

    static Model load(String name) {
      Bench bench = Bench.open(2);
      HfConfig config = HfConfig.read(folder(name));
      try (WeightSource weights = open(name, "model.safetensors", config)) {
        Decoder decoder =
            new Decoder(
                config.decoder(),
                bench.arena(),
                (tensor, shape, role) ->
                    bench.copy(weights.read(tensor), shape, DType.F32).asParameter());
        return new Model(name, bench, config, decoder);
      }
    }

    static WeightSource open(String name, String file, HfConfig config) {
      Safetensors stored = Safetensors.open(folder(name).resolve(file));
      return Families.weights(config.family(), stored, config.decoder());
    }

    static Path folder(String name) {
      return Fixture.folder("families/" + name);
    }

    @Override
    public void close() {
      bench.close();
    }
  }

  /** Looks at each exit's confidence and stays. */
  private record Declines() implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return false;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  @Test
  void everyFamilyOfTheTableIsTested() {
    Set<String> tested = new HashSet<>();
    models().forEach(m -> tested.add(HfConfig.read(Model.folder(m)).family()));
    assertThat(tested)
        .containsExactlyInAnyOrderElementsOf(
            Families.supported().stream().map(Families.Support::modelType).toList());
  }

  @ParameterizedTest
  @MethodSource("models")
  void logitsLossAndGradientsAreThoseOfTransformers(String name) {
    try (Model model = Model.load(name);
        Fixture expected = Fixture.open("families/" + name)) {
      Bench bench = model.bench;
      Decoder decoder = model.decoder;
      Ops ops = bench.ops();
      Tensor ids = expected.ids(bench, "input_ids");
      Tensor logits = decoder.forward(ops, ids);
      Span reference = expected.read("logits");
      for (long i = 0; i < reference.length(); i++) {
        assertThat(logits.span().get(i)).isCloseTo(reference.get(i), within(TOLERANCE));
      }
      Tensor x = decoder.forward(ops, ids, decoder.config().layers(), Decoder.Tap.NONE);
      Tensor targets = expected.ids(bench, "targets");
      int counted = Math.toIntExact(targets.shape().count());
      Tensor loss = TokenLoss.crossEntropy(ops, decoder.headInput(ops, x), targets, false, counted);
      assertThat(loss.item()).isCloseTo(expected.scalar("loss"), within(TOLERANCE));
      Gradients gradients =
          new Gradients(bench.arena(), bench.kernels(), decoder.parameters().values());
      Backward.run(bench.kernels(), ops.workspace(), loss, gradients);
      Map<String, Span> found = new LinkedHashMap<>();
      decoder.parameters().forEach((n, p) -> found.put(n, gradients.of(p).span()));
      try (WeightSource all = Model.open(name, "gradients.safetensors", model.config)) {
        assertThat(found.keySet()).isEqualTo(all.tensors().keySet());
        found.forEach((n, g) -> near(name, n, g, gradient(all, name, n, bench)));
      }
    }
  }

  private static void near(String model, String name, Span found, Span wanted) {
    if (model.equals("gpt2") && name.endsWith("k_proj.bias")) {
      // adds the same to all scores of a query, which changes nothing
      for (long i = 0; i < found.length(); i++) {
        assertThat(found.get(i)).as(name).isCloseTo(0, within(1e-6));
      }
      return;
    }
    Parity.near(name, found, wanted, TOLERANCE);
  }

  /** The rule of Gemma's norms adds 1, which is right for weights only. */
  private static Span gradient(WeightSource all, String model, String name, Bench bench) {
    Span g = all.read(name);
    boolean norm = name.contains("norm");
    if (!model.equals("gemma3") || !norm) {
      return g;
    }
    Span minusOne = bench.arena().allocate(DType.F32, g.length()).span();
    for (long i = 0; i < g.length(); i++) {
      minusOne.set(i, g.get(i) - 1);
    }
    return minusOne;
  }

  @ParameterizedTest
  @MethodSource("models")
  void theDecoderAsksForTheTensorsThatAreListed(String name) {
    try (Model model = Model.load(name)) {
      Map<String, List<Long>> asked = new LinkedHashMap<>();
      model
          .decoder
          .parameters()
          .forEach((n, t) -> asked.put(n, Arrays.stream(t.shape().dims()).boxed().toList()));
      assertThat(List.copyOf(asked.entrySet()))
          .isEqualTo(List.copyOf(DecoderTensors.of(model.config.decoder()).entrySet()));
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void greedyDecodingWithTheCacheIsThatOfTransformersAndOfWholeSequences(String name) {
    try (Model model = Model.load(name);
        Fixture expected = Fixture.open("families/" + name)) {
      int[] prompt = prompt(expected);
      int[] wanted = ints(expected.read("greedy"));
      int[] text = Arrays.copyOf(prompt, prompt.length + wanted.length);
      try (FullDepth full = new FullDepth(model.decoder, text.length, model.bench.device())) {
        Step step = full.prefill(prompt);
        for (int i = 0; i < wanted.length; i++) {
          int position = prompt.length + i;
          text[position] = argmax(step.logits());
          assertThat(text[position]).as("token %d", i).isEqualTo(wanted[i]);
          assertThat(lastOf(model, Arrays.copyOf(text, position))).isEqualTo(wanted[i]);
          step = i + 1 < wanted.length ? full.next(text[position]) : step;
        }
      }
    }
  }

  /** The most likely token after a text, all of it computed at once. */
  private static int lastOf(Model model, int[] text) {
    return NoGrad.call(
        () -> {
          Ops ops = model.bench.ops();
          Tensor ids = Tensor.ids(ops.workspace(), Shape.of(1, text.length), text);
          int[] best = TopTokens.of(ops, model.decoder.forward(ops, ids)).ids();
          return best[best.length - 1];
        });
  }

  @ParameterizedTest
  @MethodSource("models")
  void exitsThatAreNeverTakenLeaveTheBitsOfFullDepth(String name) {
    try (Model model = Model.load(name);
        Fixture expected = Fixture.open("families/" + name)) {
      int[] prompt = prompt(expected);
      int tokens = 20;
      int capacity = prompt.length + tokens;
      for (int i = 0; i < 2 * ExitArchitecture.values().length; i++) {
        ExitArchitecture shallow = ExitArchitecture.values()[i / 2];
        Exits exits = exits(model, shallow, ExitArchitecture.LAYER);
        ExitPolicy policy = i % 2 == 0 ? new MaxProbability(1) : new Declines();
        try (FullDepth full = new FullDepth(model.decoder, capacity, model.bench.device());
            EarlyExit early =
                new EarlyExit(
                    model.decoder,
                    exits,
                    policy,
                    capacity,
                    EarlyExit.MAX_PENDING,
                    model.bench.device())) {
          Step want = full.prefill(prompt);
          Step got = early.prefill(prompt);
          for (int token = 0; token < tokens; token++) {
            assertThat(got.exit()).isEmpty();
            assertThat(got.logits()).containsExactly(want.logits());
            int best = argmax(want.logits());
            want = full.next(best);
            got = early.next(best);
          }
        }
      }
    }
  }

  /** The logit lens: the final norm and head on a hidden state. */
  @ParameterizedTest
  @MethodSource("models")
  void copiedNormAndMlpExitsAreAtFirstTheLogitLens(String name) {
    try (Model model = Model.load(name);
        Fixture expected = Fixture.open("families/" + name)) {
      Ops ops = model.bench.ops();
      Tensor ids = expected.ids(model.bench, "input_ids");
      Exits exits = exits(model, ExitArchitecture.NORM, ExitArchitecture.MLP);
      NoGrad.run(
          () ->
              model.decoder.forward(
                  ops,
                  ids,
                  2,
                  (depth, a, x) -> {
                    Span lens = model.decoder.logits(ops, x).span();
                    Span exit = exits.exits().get(depth - 1).logits(ops, x, a).span();
                    Parity.near("exit at " + depth, exit, lens, 1e-6);
                  }));
    }
  }

  private static Exits exits(Model model, ExitArchitecture first, ExitArchitecture second) {
    List<ExitArchitecture> both = List.of(first, second);
    List<Exit> list = new ArrayList<>();
    for (int i = 0; i < both.size(); i++) {
      list.add(
          ExitInit.COPY.build(
              new ExitSpec(i + 1, both.get(i), true),
              model.decoder,
              0,
              model.bench.arena(),
              model.bench.kernels()));
    }
    return new Exits("", Map.of(), list);
  }

  private static int[] prompt(Fixture expected) {
    int[] ids = ints(expected.read("input_ids"));
    return Arrays.copyOf(ids, ids.length / 2);
  }

  private static int[] ints(Span span) {
    int[] out = new int[Math.toIntExact(span.length())];
    for (int i = 0; i < out.length; i++) {
      out[i] = span.getInt(i);
    }
    return out;
  }

  private static int argmax(float[] x) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      best = x[i] > x[best] ? i : best;
    }
    return best;
  }
}

package dev.sortie.tests;

import static dev.sortie.eetuning.exit.ExitArchitecture.EMBEDDING;
import static dev.sortie.eetuning.exit.ExitArchitecture.LAYER;
import static dev.sortie.eetuning.exit.ExitArchitecture.MLP;
import static dev.sortie.eetuning.exit.ExitArchitecture.NORM;
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
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Early exits on a model: the KV cache that they leave has the bits of full-depth decoding, and
 * each answer is what its exit says of the whole text.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class EarlyExitParity {
  private static final int TOKENS = 60;
  private static final String PROMPT = "Once upon a time, there was a little";

  private Bench bench;
  private LanguageModel model;
  private int layers;
  private int[] prompt;

  /** The model's folder. */
  abstract Path folder();

  /** Exits by depth. */
  record Setting(Map<Integer, ExitArchitecture> exits) {
    @Override
    public String toString() {
      return new TreeMap<>(exits).toString();
    }
  }

  /** Depths that every model here has: four at least, and another layer above them. */
  static Stream<Setting> settings() {
    return Stream.of(
            Map.of(4, NORM),
            Map.of(3, MLP),
            Map.of(3, LAYER),
            Map.of(4, LAYER),
            Map.of(1, NORM, 2, NORM, 3, NORM, 4, NORM),
            Map.of(1, EMBEDDING, 2, LAYER, 3, MLP, 4, LAYER),
            Map.of(2, LAYER, 4, NORM))
        .map(Setting::new);
  }

  private Exits build(Setting setting) {
    List<Exit> list = new ArrayList<>();
    setting
        .exits()
        .forEach(
            (depth, a) ->
                list.add(
                    ExitInit.COPY.build(
                        new ExitSpec(depth, a, true),
                        model.decoder(),
                        0,
                        bench.arena(),
                        bench.kernels())));
    return new Exits(model.sha256(), Map.of(), list);
  }

  @BeforeAll
  void load() {
    Path folder = folder();
    bench = Bench.open(2);
    model = LanguageModel.load(folder, Precision.FILE, bench.device());
    layers = model.config().decoder().layers();
    prompt = model.tokenizer().encode(PROMPT);
  }

  @AfterAll
  void close() {
    if (model != null) {
      model.close();
      bench.close();
    }
  }

  /** A policy that looks at each exit's confidence and declines. */
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

  /** Leaves at one depth always. */
  private record At(int wanted) implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return depth == wanted;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  /** A policy that is exchanged in the middle of a text. */
  private static final class Switched implements ExitPolicy {
    private ExitPolicy now;

    Switched(ExitPolicy first) {
      this.now = first;
    }

    @Override
    public boolean exits(int depth, double confidence) {
      return now.exits(depth, confidence);
    }

    @Override
    public boolean rests() {
      return false;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  /** Leaves by lot, whatever the confidence: copied shallow exits alone would decide nearly all. */
  private static final class Drawn implements ExitPolicy {
    private final double share;
    private final Random random = new Random(7, 0);
    private long asked;

    Drawn(double share) {
      this.share = share;
    }

    @Override
    public boolean exits(int depth, double confidence) {
      return random.uniform(asked++) < share;
    }

    @Override
    public boolean never() {
      return false;
    }

    @Override
    public String toString() {
      return "share " + share;
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void withoutAnExitTakenLogitsHaveTheBitsOfFullDepth(Setting setting) {
    Exits exits = build(setting);
    for (ExitPolicy policy : new ExitPolicy[] {new MaxProbability(1), new Declines()}) {
      try (FullDepth full = new FullDepth(model.decoder(), prompt.length + TOKENS, bench.device());
          EarlyExit early = early(exits, policy, EarlyExit.MAX_PENDING)) {
        Step expected = full.prefill(prompt);
        Step actual = early.prefill(prompt);
        for (int i = 0; i < TOKENS; i++) {
          assertThat(actual.exit()).isEmpty();
          assertThat(actual.logits()).as("logits of token " + i).containsExactly(expected.logits());
          int token = argmax(expected.logits());
          expected = full.next(token);
          actual = early.next(token);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void theCompletedCacheHasTheBitsOfFullDepth(Setting setting) {
    Exits exits = build(setting);
    Map<OptionalInt, Integer> taken = new HashMap<>();
    for (int maxPending : new int[] {1, 3, EarlyExit.MAX_PENDING}) {
      for (double threshold : new double[] {0, 0.3, 0.5, 0.7, 0.9}) {
        check(exits, new MaxProbability(threshold), maxPending, taken);
      }
      for (double share : new double[] {0.2, 0.5, 0.8}) {
        check(exits, new Drawn(share), maxPending, taken);
      }
    }
    // otherwise nothing was deferred, or nothing completed, and the comparison says nothing
    assertThat(taken.get(OptionalInt.empty())).as("tokens by the final layer").isPositive();
    for (int depth : exits.depths()) {
      assertThat(taken).as("tokens that left at " + depth).containsKey(OptionalInt.of(depth));
    }
  }

  /** Looking into the cache in the middle completes it; what follows is as exact. */
  @ParameterizedTest
  @MethodSource("settings")
  void completingInTheMiddleLeavesTheSameCache(Setting setting) {
    Exits exits = build(setting);
    try (EarlyExit plain = early(exits, new Drawn(0.7), EarlyExit.MAX_PENDING);
        EarlyExit looked = early(exits, new Drawn(0.7), EarlyExit.MAX_PENDING)) {
      // with fewer tokens pending the answers may come from other depths; the cache may not differ
      int[] tokens = decode(plain, new HashMap<>());
      looked.prefill(prompt);
      for (int i = 0; i < tokens.length; i++) {
        looked.next(tokens[i]);
        if (i % 7 == 3) {
          looked.completedCache(0);
        }
      }
      checkCache(looked, tokens, "completed in the middle");
      checkCache(plain, tokens, "completed at the end");
    }
  }

  /** Where earlier tokens left, and when their layers were made up for, is not to be seen. */
  @ParameterizedTest
  @MethodSource("settings")
  void anExitsLogitsHaveTheSameBitsWhateverEarlierTokensDid(Setting setting) {
    Exits exits = build(setting);
    for (int depth : exits.depths()) {
      float[] expected = lastLogits(exits, depth, new Declines(), TOKENS);
      assertThat(lastLogits(exits, depth, new Drawn(0.3), TOKENS))
          .as("depth " + depth + ", nothing completed on the way")
          .containsExactly(expected);
      assertThat(lastLogits(exits, depth, new Drawn(0.7), 11))
          .as("depth " + depth + ", all completed every 11 tokens")
          .containsExactly(expected);
    }
  }

  /**
   * Logits after the prompt and {@link #TOKENS} fixed tokens, the last of which leaves at {@code
   * depth}, those before by {@code policy}; the cache is completed after every {@code every} of
   * them.
   */
  private float[] lastLogits(Exits exits, int depth, ExitPolicy policy, int every) {
    Switched switched = new Switched(policy);
    try (EarlyExit early = early(exits, switched, EarlyExit.MAX_PENDING)) {
      early.prefill(prompt);
      for (int i = 1; i < TOKENS; i++) {
        early.next(fixedToken(i));
        if (i % every == 0) {
          early.completedCache(0);
        }
      }
      switched.now = new At(depth);
      Step step = early.next(fixedToken(TOKENS));
      assertThat(step.exit()).hasValue(depth);
      return step.logits().clone();
    }
  }

  private int fixedToken(int i) {
    return prompt[1 + i % (prompt.length - 1)];
  }

  /**
   * A taken exit answers from incomplete memory of the text; that must not show. The whole text in
   * one pass is a different order of sums, so this is near and not the same bits.
   */
  @ParameterizedTest
  @MethodSource("settings")
  void eachAnswerIsWhatItsExitSaysOfTheWholeText(Setting setting) {
    Exits exits = build(setting);
    try (EarlyExit early = early(exits, new Drawn(0.4), EarlyExit.MAX_PENDING)) {
      List<float[]> logits = new ArrayList<>();
      List<OptionalInt> from = new ArrayList<>();
      int[] tokens = new int[TOKENS];
      Step step = early.prefill(prompt);
      for (int i = 0; i < TOKENS; i++) {
        logits.add(step.logits().clone());
        from.add(step.exit());
        tokens[i] = argmax(step.logits());
        step = early.next(tokens[i]);
      }
      Map<OptionalInt, float[]> whole = wholeText(exits, tokens);
      int vocab = model.config().decoder().vocab();
      for (int i = 0; i < TOKENS; i++) {
        float[] rows = whole.get(from.get(i));
        int row = (prompt.length - 1 + i) * vocab;
        for (int v = 0; v < vocab; v++) {
          assertThat(logits.get(i)[v])
              .as("token " + i + " from " + from.get(i) + ", logit " + v)
              .isCloseTo(rows[row + v], within(1e-3f));
        }
      }
    }
  }

  private void check(
      Exits exits, ExitPolicy policy, int maxPending, Map<OptionalInt, Integer> taken) {
    try (EarlyExit early = early(exits, policy, maxPending)) {
      checkCache(early, decode(early, taken), policy + ", pending " + maxPending);
    }
  }

  private EarlyExit early(Exits exits, ExitPolicy policy, int maxPending) {
    int capacity = prompt.length + TOKENS;
    return new EarlyExit(model.decoder(), exits, policy, capacity, maxPending, bench.device());
  }

  /** Greedy tokens, all read; counts where they came from, but for the prompt's. */
  private int[] decode(EarlyExit early, Map<OptionalInt, Integer> taken) {
    int[] tokens = new int[TOKENS];
    Step step = early.prefill(prompt);
    for (int i = 0; i < TOKENS; i++) {
      tokens[i] = argmax(step.logits());
      step = early.next(tokens[i]);
      taken.merge(step.exit(), 1, Integer::sum);
    }
    return tokens;
  }

  private void checkCache(EarlyExit early, int[] tokens, String what) {
    Exits none = new Exits(model.sha256(), Map.of(), List.of());
    try (EarlyExit full = early(none, new MaxProbability(1), 0)) {
      full.prefill(prompt);
      for (int token : tokens) {
        full.next(token);
      }
      assertThat(early.position()).isEqualTo(full.position());
      for (int layer = 0; layer < layers; layer++) {
        List<Tensor> expected = full.completedCache(layer);
        List<Tensor> actual = early.completedCache(layer);
        Parity.same(
            "keys, layer " + layer + ", " + what, actual.get(0).span(), expected.get(0).span());
        Parity.same(
            "values, layer " + layer + ", " + what, actual.get(1).span(), expected.get(1).span());
      }
    }
  }

  /** Logits of all positions by each exit and, without a depth, the final layer. */
  private Map<OptionalInt, float[]> wholeText(Exits exits, int[] tokens) {
    int[] all = IntStream.concat(Arrays.stream(prompt), Arrays.stream(tokens)).toArray();
    Map<OptionalInt, float[]> logits = new HashMap<>();
    NoGrad.run(
        () -> {
          Tensor ids = Tensor.ids(bench.arena(), Shape.of(1, all.length), all);
          Map<Integer, Exit> byDepth = new HashMap<>();
          exits.exits().forEach(e -> byDepth.put(e.depth(), e));
          Tensor last =
              model
                  .decoder()
                  .forward(
                      bench.ops(),
                      ids,
                      layers,
                      (depth, a, x) -> {
                        if (byDepth.containsKey(depth)) {
                          Tensor y = byDepth.get(depth).logits(bench.ops(), x, a);
                          logits.put(OptionalInt.of(depth), y.toFloats());
                        }
                      });
          logits.put(OptionalInt.empty(), model.decoder().logits(bench.ops(), last).toFloats());
        });
    bench.ops().workspace().reset();
    return logits;
  }

  private static int argmax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }
}

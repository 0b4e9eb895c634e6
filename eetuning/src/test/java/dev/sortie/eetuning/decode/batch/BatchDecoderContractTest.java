package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.ExitAgreement;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.TopMargin;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whoever shares a pass, each sequence has the bits, exits and confidences that it has alone. */
class BatchDecoderContractTest {
  private static final int CONTEXT = 160;
  private static final int LAYERS = 5;

  @TempDir private static Path folder;

  private static Device device;
  private static LanguageModel model;
  private static NativeArena arena;
  private static final Map<Exiting, Exits> EXITS = new EnumMap<>(Exiting.class);

  /** Where exits stand, and of which kinds. */
  enum Exiting {
    NOWHERE(Map.of()),
    NORMS(Map.of(1, ExitArchitecture.NORM, 3, ExitArchitecture.NORM)),
    LAYERS(Map.of(2, ExitArchitecture.LAYER, 4, ExitArchitecture.LAYER)),
    MIXED(
        Map.of(
            1,
            ExitArchitecture.EMBEDDING,
            2,
            ExitArchitecture.LAYER,
            3,
            ExitArchitecture.MLP,
            4,
            ExitArchitecture.LAYER)),
    DRAFTS(Map.of(2, ExitArchitecture.LAYER, 3, ExitArchitecture.NORM)) {
      @Override
      Exits build() {
        Exits between = built(a -> new ExitSpec(a.getKey(), a.getValue(), false, 60));
        return FinalDraft.add(between);
      }
    };

    private final Map<Integer, ExitArchitecture> at;

    Exiting(Map<Integer, ExitArchitecture> at) {
      this.at = at;
    }

    Exits exits() {
      return EXITS.computeIfAbsent(this, e -> e.build());
    }

    Exits build() {
      return built(a -> new ExitSpec(a.getKey(), a.getValue(), true));
    }

    Exits built(Function<Map.Entry<Integer, ExitArchitecture>, ExitSpec> spec) {
      List<Exit> list = new ArrayList<>();
      at.entrySet()
          .forEach(
              a ->
                  list.add(
                      ExitInit.COPY.build(
                          spec.apply(a), model.decoder(), 0, arena, device.kernels())));
      return new Exits(model.sha256(), Map.of(), list);
    }
  }

  @BeforeAll
  static void load() {
    device = Device.cpu(2);
    model =
        LanguageModel.load(
            TinyModel.write(folder.resolve("model"), LAYERS, 16, 290, CONTEXT, 1),
            Precision.F32,
            device);
    arena = new NativeArena("exits");
  }

  @AfterAll
  static void close() {
    arena.close();
    model.close();
    device.close();
  }

  /** Leaves by lot: decides as often and as unlike confidences of random weights. */
  private static final class Drawn implements ExitPolicy {
    private final double share;
    private final Random random;
    private long asked;

    Drawn(double share, long seed) {
      this.share = share;
      this.random = new Random(seed, 0);
    }

    @Override
    public boolean exits(int depth, double confidence) {
      return random.uniform(asked++) < share;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  private static ExitPolicy policy(int kind, long seed) {
    return switch (kind) {
      case 0 -> new MaxProbability(1);
      case 1 -> new MaxProbability(0.05);
      case 2 -> new TopMargin(0.02);
      case 3 -> new ExitAgreement(0.02, 2);
      default -> new Drawn(0.2 * (kind - 3), seed);
    };
  }

  /** A sequence in company, the same one alone, and the token to read next. */
  private static final class Pair implements AutoCloseable {
    private final BatchSequence batched;
    private final DecodingStrategy alone;
    private final Sampler sampler;
    private final int end;
    private int token;

    Pair(BatchDecoder decoder, Exits exits, java.util.Random random, int[] prompt, int end) {
      this.end = end;
      int kind = random.nextInt(8);
      long seed = random.nextLong();
      int pending = random.nextInt(EarlyExit.MAX_PENDING + 1);
      this.batched = decoder.open(policy(kind, seed), CONTEXT, pending);
      this.alone =
          exits.exits().isEmpty()
              ? new FullDepth(model.decoder(), CONTEXT, device)
              : new EarlyExit(model.decoder(), exits, policy(kind, seed), CONTEXT, pending, device);
      double temperature = random.nextBoolean() ? 0 : 0.8;
      this.sampler =
          new Sampler(
              new SamplingOptions(temperature, 0, 1, 0, 1, seed), model.config().decoder().vocab());
      Step expected = alone.prefill(prompt);
      same(decoder.prefill(batched, prompt), expected);
      token = sampler.choose(expected.logits(), prompt.length);
    }

    void check(Step step, Set<OptionalInt> taken) {
      same(step, alone.next(token));
      taken.add(step.exit());
      token = sampler.choose(step.logits(), batched.position());
    }

    private void same(Step found, Step expected) {
      assertThat(found.exit()).isEqualTo(expected.exit());
      assertThat(found.confidence()).isEqualTo(expected.confidence());
      assertThat(found.logits()).isEqualTo(expected.logits());
      assertThat(batched.position()).isEqualTo(alone.position());
    }

    boolean ended() {
      return batched.position() >= end;
    }

    /** The keys and values of both after all deficit tokens were made up for. */
    void checkCache(BatchDecoder decoder) {
      if (alone instanceof EarlyExit e) {
        for (int layer = 0; layer < LAYERS; layer++) {
          List<Tensor> found = decoder.completedCache(batched, layer);
          List<Tensor> expected = e.completedCache(layer);
          for (int i = 0; i < 2; i++) {
            assertThat(found.get(i).toFloats()).isEqualTo(expected.get(i).toFloats());
          }
        }
      }
    }

    @Override
    public void close() {
      batched.close();
      alone.close();
    }
  }

  /** Up to twenty at once, which is more than a pass has rows; they come and go at random. */
  @ParameterizedTest
  @EnumSource
  void sequencesThatJoinAndLeaveHaveTheBitsOfDecodingAlone(Exiting where) {
    Exits exits = where.exits();
    for (long seed = 0; seed < 2; seed++) {
      java.util.Random random = new java.util.Random(seed);
      Set<OptionalInt> taken = new HashSet<>();
      List<Pair> active = new ArrayList<>();
      int most = 0;
      int finished = 0;
      try (BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device)) {
        for (int round = 0; round < 150; round++) {
          while (active.size() < 20 && random.nextInt(3) > 0) {
            int[] prompt = random.ints(random.nextInt(1, 40), 0, 250).toArray();
            int end = Math.min(CONTEXT, random.nextInt(prompt.length + 1, 2 * CONTEXT));
            active.add(new Pair(decoder, exits, random, prompt, end));
          }
          // some stay out of a round
          List<Pair> now = active.stream().filter(p -> random.nextInt(8) > 0).toList();
          most = Math.max(most, now.size());
          List<Step> steps =
              decoder.next(
                  now.stream().map(p -> p.batched).toList(),
                  now.stream().mapToInt(p -> p.token).toArray());
          for (int i = 0; i < now.size(); i++) {
            now.get(i).check(steps.get(i), taken);
          }
          for (Pair p : List.copyOf(active)) {
            if (p.ended()) {
              finished += p.batched.position() == CONTEXT ? 1 : 0;
              p.checkCache(decoder);
              p.close();
              active.remove(p);
            }
          }
        }
      } finally {
        active.forEach(Pair::close);
      }
      assertThat(most).as("rows at once").isGreaterThan(16);
      assertThat(finished).as("sequences that filled the context").isPositive();
      assertThat(taken).as("depths of answers").hasSize(exits.depths().size() + 1);
    }
  }

  /**
   * The own layer of a deep exit that was not asked lags behind by nearly a stable batch when as
   * many deficit tokens come to it: more rows at once than are stable.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anExitThatLagsAsksItsLayerForStableRowsOnly(boolean batched) {
    Exits exits = Exiting.LAYERS.exits();
    List<float[]> answers = new ArrayList<>();
    for (int pending : new int[] {6, EarlyExit.MAX_PENDING}) {
      // six leave at depth 2, the seventh may not, and the exit at depth 4 is not asked; when it is
      // at last, it lags by two rounds of seven and six more
      Map<Integer, Integer> depths = new HashMap<>();
      for (int i = 0; i < 19; i++) {
        depths.put(i, pending == 6 && i % 7 < 6 ? 2 : 0);
      }
      depths.put(19, 4);
      answers.add(lastAnswer(exits, depths, pending, batched));
    }
    assertThat(answers.getFirst()).isEqualTo(answers.getLast());
  }

  private static float[] lastAnswer(
      Exits exits, Map<Integer, Integer> depths, int pending, boolean batched) {
    int[] now = {0};
    ExitPolicy planned =
        new ExitPolicy() {
          @Override
          public boolean exits(int depth, double confidence) {
            return depth == depths.get(now[0]);
          }

          @Override
          public boolean never() {
            return false;
          }

          @Override
          public boolean rests() {
            return false;
          }
        };
    int[] prompt = {3, 1, 4};
    try (BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device);
        BatchSequence s = decoder.open(planned, CONTEXT, pending);
        EarlyExit e = new EarlyExit(model.decoder(), exits, planned, CONTEXT, pending, device)) {
      decoder.prefill(s, prompt);
      e.prefill(prompt);
      Step step = null;
      for (; now[0] < depths.size(); now[0]++) {
        int token = 5 + now[0];
        step = batched ? decoder.next(List.of(s), new int[] {token}).getFirst() : e.next(token);
      }
      assertThat(step.exit()).hasValue(4);
      return step.logits().clone();
    }
  }

  @Test
  void aRefusalChangesNoSequence() {
    try (BatchDecoder decoder = new BatchDecoder(model.decoder(), device);
        BatchDecoder other = new BatchDecoder(model.decoder(), device);
        BatchSequence full = decoder.open(3);
        BatchSequence room = decoder.open(9)) {
      decoder.prefill(full, new int[] {1, 2, 3});
      decoder.prefill(room, new int[] {1, 2, 3});
      assertThatThrownBy(() -> decoder.next(List.of(room, full), new int[] {4, 4}))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("room for 3");
      assertThatThrownBy(() -> decoder.next(List.of(room, room), new int[] {4, 4}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("twice");
      assertThatThrownBy(() -> decoder.next(List.of(room), new int[] {4, 4}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("1 sequences and 2 tokens");
      assertThatThrownBy(() -> other.next(List.of(room), new int[] {4}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("another batch decoder");
      assertThat(room.position()).isEqualTo(3);
      assertThat(decoder.next(List.of(), new int[0])).isEmpty();
    }
  }

  /** A policy that fails does so for all; what was read before it failed is forgotten. */
  @Test
  void afterAFailureEachSequenceContinuesAsIfItHadNotBeen() {
    Exits exits = Exiting.MIXED.exits();
    boolean[] fails = {false};
    ExitPolicy failing =
        new ExitPolicy() {
          @Override
          public boolean exits(int depth, double confidence) {
            if (fails[0] && depth == 3) {
              throw new IllegalStateException("as planned");
            }
            return false;
          }

          @Override
          public boolean never() {
            return false;
          }

          @Override
          public boolean rests() {
            return false;
          }
        };
    try (BatchDecoder decoder = new BatchDecoder(model.decoder(), exits, device);
        BatchSequence a = decoder.open(new Drawn(0.3, 1), CONTEXT, 15);
        BatchSequence b = decoder.open(failing, CONTEXT, 15);
        FullDepth alone = new FullDepth(model.decoder(), CONTEXT, device)) {
      int[] prompt = {7, 8, 9};
      decoder.prefill(a, prompt);
      decoder.prefill(b, prompt);
      alone.prefill(prompt);
      for (int i = 0; i < 20; i++) {
        if (i % 4 == 2) {
          fails[0] = true;
          assertThatThrownBy(() -> decoder.next(List.of(a, b), new int[] {1, 2}))
              .hasMessage("as planned");
          fails[0] = false;
          assertThat(a.position()).isEqualTo(3 + i);
        }
        List<Step> steps = decoder.next(List.of(a, b), new int[] {20 + i, 40 + i});
        assertThat(steps.get(1).logits()).isEqualTo(alone.next(40 + i).logits());
      }
    }
  }
}

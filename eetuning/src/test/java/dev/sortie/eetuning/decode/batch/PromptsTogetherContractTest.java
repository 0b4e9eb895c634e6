package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.PromptStates;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ObservedKernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts that are read in one pass get what each gets in passes of its own. */
class PromptsTogetherContractTest {
  private static final int CONTEXT = 600;

  @TempDir private static Path folder;

  private static TinyBatch tiny;

  @BeforeAll
  static void load() {
    tiny = new TinyBatch(folder, CONTEXT, new ExitSpec(2, ExitArchitecture.LAYER, true));
  }

  @AfterAll
  static void close() {
    tiny.close();
  }

  private static PagePool pool() {
    return tiny.pool(200, 20, true);
  }

  private static Scheduler scheduler(BatchDecoder decoder, PagePool pool, int texts) {
    return new Scheduler(
        decoder,
        pool,
        tiny.model().tokenizer(),
        List.of(),
        TinyBatch.VOCAB,
        new Scheduler.Limits(texts, texts));
  }

  private static int[] prompt(int length, long seed) {
    return new Random(seed).ints(length, 0, TinyBatch.VOCAB).toArray();
  }

  private static BatchSequence open(BatchDecoder d, PagePool pool, int[] prompt, boolean leaves) {
    ExitPolicy policy = new MaxProbability(leaves ? 0.05 : 1);
    return d.open(pool, policy, 0, prompt, prompt.length + 1).orElseThrow();
  }

  private static List<List<Integer>> sizes(List<List<ScheduledChunk>> passes) {
    return passes.stream().map(p -> p.stream().map(ScheduledChunk::tokens).toList()).toList();
  }

  /** All passes that read these to the end; those that read take turns. */
  private static List<List<ScheduledChunk>> readAll(
      BatchDecoder decoder,
      List<BatchSequence> sequences,
      int most,
      Map<BatchSequence, float[]> to) {
    List<List<ScheduledChunk>> passes = new ArrayList<>();
    List<BatchSequence> inTurn = new ArrayList<>(sequences);
    while (!inTurn.isEmpty()) {
      List<ScheduledChunk> pass = ScheduledChunk.pass(inTurn, most);
      passes.add(pass);
      List<Optional<Step>> steps = decoder.readPrompts(pass);
      for (int i = 0; i < pass.size(); i++) {
        BatchSequence s = pass.get(i).sequence();
        inTurn.remove(s);
        assertThat(steps.get(i).isPresent()).isEqualTo(pass.get(i).end());
        if (steps.get(i).isPresent()) {
          to.put(s, steps.get(i).get().logits().clone());
        } else {
          inTurn.add(s);
        }
      }
    }
    return passes;
  }

  private static List<float[]> cache(BatchDecoder decoder, BatchSequence s) {
    return IntStream.range(0, TinyBatch.LAYERS)
        .boxed()
        .flatMap(layer -> decoder.completedCache(s, layer).stream())
        .map(PromptsTogetherContractTest::floats)
        .toList();
  }

  private static float[] floats(Tensor t) {
    float[] all = new float[(int) t.shape().count()];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) t.span().get(i);
    }
    return all;
  }

  @Test
  void eachPromptHasTheBitsThatItHasAlone() {
    int[] lengths = {43, 1, 17, 100, 16, 300, 3, 44, 60, 12};
    try (BatchDecoder decoder = tiny.decoder();
        PagePool pool = pool()) {
      List<BatchSequence> together = new ArrayList<>();
      for (int i = 0; i < lengths.length; i++) {
        together.add(open(decoder, pool, prompt(lengths[i], i), i % 3 > 0));
      }
      Map<BatchSequence, float[]> found = new HashMap<>();
      List<List<ScheduledChunk>> passes = readAll(decoder, together, 128, found);
      assertThat(passes).anySatisfy(p -> assertThat(p).hasSizeGreaterThan(2));
      for (int i = 0; i < lengths.length; i++) {
        try (PagePool other = pool();
            BatchSequence alone = open(decoder, other, prompt(lengths[i], i), i % 3 > 0)) {
          Step step = decoder.readPrompt(alone, CONTEXT).orElseThrow();
          assertThat(found.get(together.get(i))).as("prompt %d", i).isEqualTo(step.logits());
          List<float[]> expected = cache(decoder, alone);
          List<float[]> cached = cache(decoder, together.get(i));
          for (int j = 0; j < expected.size(); j++) {
            assertThat(cached.get(j)).as("prompt %d, cache %d", i, j).isEqualTo(expected.get(j));
          }
        }
      }
      together.forEach(BatchSequence::close);
    }
  }

  @Test
  void aPassIsFilledInTurnByPiecesOfItsKind() {
    try (BatchDecoder decoder = tiny.decoder();
        PagePool pool = tiny.pool(200, 20, false)) {
      assertThat(passes(decoder, pool, 512, 43, 43, 43)).containsExactly(List.of(43, 43, 43));
      // 42 tokens are left for the third prompt, which no chunk but a whole one may end
      assertThat(passes(decoder, pool, 128, 43, 43, 43))
          .containsExactly(List.of(43, 43, 26), List.of(17));
      assertThat(passes(decoder, pool, 100, 43, 43, 43, 9, 5, 3))
          .containsExactly(List.of(43, 43), List.of(43), List.of(9, 5), List.of(3));
      // the long one takes turns with those that came after it
      assertThat(passes(decoder, pool, 128, 300, 40, 40))
          .containsExactly(List.of(128), List.of(40, 40, 48), List.of(124));
      assertThat(passes(decoder, pool, 512, IntStream.generate(() -> 1).limit(20).toArray()))
          .containsExactly(
              IntStream.generate(() -> 1).limit(16).boxed().toList(), List.of(1, 1, 1, 1));
    }
  }

  private static List<List<Integer>> passes(
      BatchDecoder decoder, PagePool pool, int most, int... lengths) {
    List<BatchSequence> sequences = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      sequences.add(open(decoder, pool, prompt(lengths[i], i), false));
    }
    List<List<Integer>> sizes = sizes(readAll(decoder, sequences, most, new HashMap<>()));
    sequences.forEach(BatchSequence::close);
    return sizes;
  }

  @Test
  void chunksWhoseBitsWouldDependOnTheirCompanyAreRefused() {
    try (BatchDecoder decoder = tiny.decoder();
        PagePool pool = pool();
        BatchSequence few = open(decoder, pool, prompt(3, 1), false);
        BatchSequence many = open(decoder, pool, prompt(30, 2), false)) {
      List<ScheduledChunk> chunks =
          List.of(ScheduledChunk.of(few, 40), ScheduledChunk.of(many, 40));
      assertThatThrownBy(() -> decoder.readPrompts(chunks))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("2 chunks", "33 rows");
      assertThat(few.position()).isZero();
    }
  }

  /** A pass of several prompts fails as if memory ran out; each alone is small enough. */
  @Test
  void promptsThatCannotBeReadTogetherAreReadAlone() {
    ObservedKernels kernels =
        new ObservedKernels(
            tiny.device().kernels(),
            (_, ran, _) -> {
              if (ran instanceof MatrixCall.Linear c && c.m() > 100) {
                throw new IllegalStateException("more than 100 rows");
              }
            });
    Device limited = new Device(kernels, tiny.device().pool());
    try (BatchDecoder decoder = tiny.decoder(limited);
        PagePool pool = pool();
        Scheduler scheduler = scheduler(decoder, pool, 8)) {
      List<RequestHandle> good = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        good.add(scheduler.submit(request(prompt(60, i), Optional.empty())));
      }
      RequestHandle large = scheduler.submit(request(prompt(150, 9), Optional.empty()));
      scheduler.round();
      good.forEach(h -> assertThat(h.result()).isCompleted());
      assertThat(large.result()).isCompletedExceptionally();
      assertThat(pool.available()).isEqualTo(pool.pages());
    }
  }

  @Test
  void statesOfEachPromptComeOnceAndFailForNobodyElse() {
    try (BatchDecoder decoder = tiny.decoder();
        PagePool pool = pool();
        Scheduler scheduler = scheduler(decoder, pool, 8)) {
      int[] rows = new int[2];
      RequestHandle seen =
          scheduler.submit(
              request(
                  prompt(30, 1),
                  Optional.of((_, first, states) -> rows[0] += states.shape().rows())));
      RequestHandle failing =
          scheduler.submit(
              request(
                  prompt(30, 2),
                  Optional.of(
                      (_, first, states) -> {
                        rows[1]++;
                        throw new IllegalStateException("states");
                      })));
      RequestHandle other = scheduler.submit(request(prompt(30, 3), Optional.empty()));
      TinyBatch.finish(scheduler);
      assertThat(rows).containsExactly(30, 1);
      assertThat(seen.result()).isCompleted();
      assertThat(failing.result()).isCompletedExceptionally();
      assertThat(other.result()).isCompleted();
    }
  }

  private static Request request(int[] prompt, Optional<PromptStates> states) {
    GenerateOptions one = new GenerateOptions(1, SamplingOptions.GREEDY, List.of(), true);
    return new Request("", prompt, one, new MaxProbability(1), 0, t -> {}, states, false);
  }

  /** A text that decodes waits for one chunk, unless more wait for their first token. */
  @Test
  void whoeverDecodesWaitsTheLongerTheMoreOthersWait() {
    try (BatchDecoder decoder = tiny.decoder();
        PagePool pool = pool();
        Scheduler scheduler = scheduler(decoder, pool, 16)) {
      GenerateOptions endless = new GenerateOptions(40, SamplingOptions.GREEDY, List.of(), true);
      scheduler.submit(new Request(prompt(20, 1), endless, new MaxProbability(1), 0, t -> {}));
      scheduler.round();
      List<RequestHandle> seven = new ArrayList<>();
      for (int i = 0; i < 7; i++) {
        seven.add(scheduler.submit(request(prompt(43, 10 + i), Optional.empty())));
      }
      scheduler.round();
      seven.forEach(h -> assertThat(h.result()).isCompleted());
      RequestHandle large = scheduler.submit(request(prompt(300, 3), Optional.empty()));
      scheduler.round();
      scheduler.round();
      assertThat(large.result()).isNotDone();
      scheduler.round();
      assertThat(large.result()).isCompleted();
    }
  }
}

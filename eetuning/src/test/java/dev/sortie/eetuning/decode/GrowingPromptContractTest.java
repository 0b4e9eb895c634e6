package dev.sortie.eetuning.decode;

import static dev.sortie.eetuning.decode.DecodingWays.CONTEXT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.DecodingWays.Way;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A prompt that was read while it grew and changed has the bits of one read whole, in every way of
 * decoding. Exits are taken by the last bits of confidences, so a difference anywhere shows.
 */
class GrowingPromptContractTest {
  private static final int VOCAB = 290;
  private static final int ANSWER = 5;
  private static final int TURNS = 12;

  @TempDir static Path folder;

  static DecodingWays floats;
  static DecodingWays integers;

  @BeforeAll
  static void load() {
    floats = new DecodingWays(folder.resolve("floats"));
    integers = DecodingWays.inIntegers(folder.resolve("integers"));
  }

  @AfterAll
  static void close() {
    floats.close();
    integers.close();
  }

  /**
   * What follows a prompt, and each of some tokens after it.
   *
   * @param text gets prompt and tokens
   */
  private static List<List<Object>> answer(DecodingStrategy s, int[] prompt, int[] text) {
    List<List<Object>> all = new ArrayList<>();
    System.arraycopy(prompt, 0, text, 0, prompt.length);
    Step step = s.prefill(prompt);
    for (int i = prompt.length; i < text.length; i++) {
      all.add(bits(step));
      text[i] = Sampler.argmax(step.logits());
      step = s.next(text[i]);
    }
    all.add(bits(step));
    return all;
  }

  private static List<Object> bits(Step step) {
    return List.of(
        Arrays.stream(step.exit().stream().toArray()).boxed().toList(),
        step.confidence(),
        IntStream.range(0, step.logits().length)
            .mapToObj(i -> Float.floatToRawIntBits(step.logits()[i]))
            .toList());
  }

  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void aPromptReadWhileItChangesHasTheBitsOfAWholeOne(Way way) {
    typesAndAnswers(floats, way, 1);
    typesAndAnswers(integers, way, 2);
  }

  /** A prompt after the other, each typed with edits, most after the text before. */
  private static void typesAndAnswers(DecodingWays ways, Way way, long seed) {
    Random random = new Random(seed);
    int reused = 0;
    try (PrefixReuse live = PrefixReuse.exact(ways.open(way, CONTEXT), CONTEXT)) {
      int[] text = {};
      for (int turn = 0; turn < TURNS; turn++) {
        for (int edit = random.nextInt(8); edit >= 0; edit--) {
          text = edited(text, random);
          for (int piece = random.nextInt(3); piece > 0; piece--) {
            live.readAhead(text, Kernels.ROW_STABLE + 1 + random.nextInt(60));
          }
        }
        int[] prompt = text;
        int[] said = new int[prompt.length + ANSWER];
        List<List<Object>> found = answer(live, prompt, said);
        reused += live.reused();
        assertThat(live.position()).isEqualTo(prompt.length + ANSWER);
        try (DecodingStrategy fresh = ways.open(way, CONTEXT)) {
          assertThat(found)
              .as("%s, seed %d, turn %d, %d tokens", way, seed, turn, prompt.length)
              .isEqualTo(answer(fresh, prompt, new int[said.length]));
        }
        text = random.nextBoolean() ? said : prompt;
      }
    }
    assertThat(reused).isGreaterThan(TURNS * Kernels.ROW_STABLE);
  }

  /** Appended to most often; else cut, changed in the middle, or begun anew. */
  private static int[] edited(int[] text, Random random) {
    int kept =
        switch (random.nextInt(8)) {
          case 0 -> text.length / 2;
          case 1 -> random.nextInt(text.length + 1);
          case 2 -> Math.max(0, text.length - 1 - random.nextInt(4));
          case 3 -> random.nextInt(8) == 0 ? 0 : text.length;
          default -> text.length;
        };
    kept = kept > CONTEXT - 2 * ANSWER - 40 ? 30 : kept;
    int more = 1 + random.nextInt(40);
    int[] next = Arrays.copyOf(text, kept + more);
    for (int i = kept; i < next.length; i++) {
      next[i] = random.nextInt(VOCAB);
    }
    return next;
  }

  @Test
  void onlyWhatAWholePromptWouldReadAlikeServesAgain() {
    int[] prompt = IntStream.range(0, 60).toArray();
    try (PrefixReuse live = PrefixReuse.exact(floats.open(Way.FULL_DEPTH, CONTEXT), CONTEXT)) {
      assertThat(live.readAhead(Arrays.copyOf(prompt, 16), 64)).as("too short a piece").isFalse();
      assertThat(live.readAhead(Arrays.copyOf(prompt, 40), 20)).isTrue();
      assertThat(live.position()).isEqualTo(20);
      assertThat(live.readAhead(Arrays.copyOf(prompt, 40), 64)).isTrue();
      assertThat(live.readAhead(Arrays.copyOf(prompt, 40), 64)).as("all is read").isFalse();
      live.prefill(prompt);
      assertThat(live.reused()).isEqualTo(40);
      live.next(7);
      live.prefill(prompt);
      assertThat(live.reused()).as("a pass of many rows at the end").isEqualTo(60 - 17);
      live.prefill(Arrays.copyOf(prompt, 16));
      assertThat(live.reused()).as("a short prompt is read alone").isZero();
      live.prefill(prompt);
      assertThat(live.reused()).as("and has other bits").isZero();
      assertThat(live.readAhead(new int[CONTEXT + 1], 64)).as("no room").isFalse();
    }
  }
}

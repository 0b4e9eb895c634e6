package dev.sortie.eetuning.decode;

import static dev.sortie.eetuning.decode.DecodingWays.CONTEXT;
import static dev.sortie.eetuning.decode.DecodingWays.PROMPT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.DecodingWays.Way;
import dev.sortie.nn.InputException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What all decoding strategies promise of the text that they have read: reading on, cutting it, its
 * limit.
 */
class DecodingPositionContractTest {
  @TempDir private static Path folder;

  private static DecodingWays ways;

  @BeforeAll
  static void load() {
    ways = new DecodingWays(folder);
  }

  @AfterAll
  static void close() {
    ways.close();
  }

  /** A prompt is read by all layers, so what follows it tells of all keys and values before it. */
  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void theCacheOfATextIsThatOfFullDepth(Way way) {
    Random random = new Random(5);
    try (DecodingStrategy s = ways.open(way, CONTEXT);
        DecodingStrategy full = ways.open(Way.FULL_DEPTH, CONTEXT)) {
      int token = argmax(s.prefill(PROMPT));
      full.prefill(PROMPT);
      for (int i = 0; i < 5; i++) {
        for (int j = random.nextInt(20); j >= 0; j--) {
          full.next(token);
          token = argmax(s.next(token));
        }
        int[] more = random.ints(random.nextInt(1, 9), 0, 250).toArray();
        Step found = s.prefill(more);
        assertThat(found.logits()).isEqualTo(full.prefill(more).logits());
        token = argmax(found);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void cutItIsAsIfTheRestHadNotBeen(Way way) {
    Random random = new Random(6);
    try (DecodingStrategy s = ways.open(way, CONTEXT)) {
      int[] text = new int[CONTEXT];
      int token = argmax(s.prefill(PROMPT));
      for (int i = 0; i < 12; i++) {
        for (int j = random.nextInt(25); j >= 0 && s.position() < CONTEXT; j--) {
          text[s.position()] = token;
          token = argmax(s.next(token));
        }
        s.rewind(random.nextInt(PROMPT.length, s.position()));
        token = random.nextInt(250);
      }
      text[s.position()] = token;
      Step found = s.next(token);
      try (DecodingStrategy fresh = ways.open(way, CONTEXT)) {
        Step expected = fresh.prefill(PROMPT);
        for (int p = PROMPT.length; p < s.position(); p++) {
          expected = fresh.next(text[p]);
        }
        assertThat(found.logits()).isEqualTo(expected.logits());
        assertThat(found.exit()).isEqualTo(expected.exit());
        assertThat(found.confidence()).isEqualTo(expected.confidence());
      }
      assertThatThrownBy(() -> s.rewind(s.position() + 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.sortie.eetuning.decode.DecodingWays$Way#strategies")
  void aTokenTooManyIsRefusedAndChangesNothing(Way way) {
    try (DecodingStrategy s = ways.open(way, PROMPT.length + 2);
        DecodingStrategy full = ways.open(Way.FULL_DEPTH, CONTEXT)) {
      s.prefill(PROMPT);
      full.prefill(PROMPT);
      for (int token : new int[] {5, 6}) {
        s.next(token);
        full.next(token);
      }
      assertThatThrownBy(() -> s.next(7))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("room for " + (PROMPT.length + 2));
      assertThat(s.position()).isEqualTo(PROMPT.length + 2);
      s.rewind(PROMPT.length);
      full.rewind(PROMPT.length);
      int[] more = {8, 9};
      assertThat(s.prefill(more).logits()).isEqualTo(full.prefill(more).logits());
    }
  }

  private static int argmax(Step step) {
    float[] z = step.logits();
    int best = 0;
    for (int i = 1; i < z.length; i++) {
      best = z[i] > z[best] ? i : best;
    }
    return best;
  }
}

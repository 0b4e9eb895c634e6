package dev.sortie.benchmarks.cold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class ColdStartsContractTest {

  /** Each read gives one piece, and the clock then shows how many pieces came. */
  private static final class Pieces extends InputStream {
    private final ArrayDeque<byte[]> pieces = new ArrayDeque<>();
    private int given;

    Pieces(String... pieces) {
      Arrays.stream(pieces).forEach(p -> this.pieces.add(p.getBytes(UTF_8)));
    }

    @Override
    public int read() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(byte[] b, int off, int len) {
      if (pieces.isEmpty()) {
        return -1;
      }
      given++;
      return new ByteArrayInputStream(pieces.remove()).read(b, off, len);
    }

    double seconds() {
      return given;
    }
  }

  private static OptionalDouble firstToken(String prompt, String... pieces) throws IOException {
    Pieces in = new Pieces(pieces);
    return StartTime.firstToken(in, prompt.getBytes(UTF_8), in::seconds);
  }

  @Test
  void theFirstTokenIsTheFirstByteBehindThePrompt() throws IOException {
    assertThat(firstToken("Once é", "On", "ce é", " up", "on")).hasValue(3);
    assertThat(firstToken("Once", "Once upon", " a")).hasValue(1);
    assertThat(firstToken("Once", "Onc", "e upon", " a")).hasValue(2);
    assertThat(firstToken("", "a", "b")).hasValue(1);
    assertThat(firstToken("Once", "On", "ce")).isEmpty();
    assertThat(firstToken("Once")).isEmpty();
    assertThatThrownBy(() -> firstToken("Once", "On", "ly"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("does not begin with the prompt");
  }

  @Test
  void steadySpeedBeginsWhereAllLaterWindowsHaveNineTenthsOfIt() {
    double[] seconds = new double[40];
    Arrays.fill(seconds, 1);
    assertThat(SteadySpeed.firstStep(seconds)).hasValue(0);
    seconds[0] = 9;
    seconds[1] = 5;
    seconds[2] = 1.2;
    seconds[3] = 1.12; // less than 0.9 of the steady speed
    seconds[4] = 1.1; // more
    assertThat(SteadySpeed.firstStep(seconds)).hasValue(4);
    seconds[9] = 7; // something else held two steps up
    seconds[11] = 7;
    assertThat(SteadySpeed.firstStep(seconds)).hasValue(4);
    seconds[10] = 7;
    assertThat(SteadySpeed.firstStep(seconds)).hasValue(12);
  }

  @Test
  void aRunThatIsTooShortHasNoSteadySpeed() {
    assertThat(SteadySpeed.firstStep(new double[] {1, 1, 1, 1, 1, 1, 1, 1, 1})).isEmpty();
    double[] falling = new double[40];
    for (int i = 0; i < falling.length; i++) {
      falling[i] = 40 - i;
    }
    assertThat(SteadySpeed.firstStep(falling)).isEmpty();
  }

  @Test
  void aRowHasMediansExtremesAndARatioAboveOneWhereWeAreAhead() {
    ColdRow row = new ColdRow("43 + 64, exit", List.of(3.0, 2.0, 2.5), List.of(1.5, 1.0, 1.25));
    assertThat(row.describe())
        .containsExactly(
            entry("case", "43 + 64, exit"),
            entry("ours", 2.5),
            entry("peer", 1.25),
            entry("unit", "s"),
            entry("ratio", 0.5),
            entry("times_the_peer", 2.0),
            entry("ours_min", 2.0),
            entry("ours_max", 3.0),
            entry("peer_min", 1.0),
            entry("peer_max", 1.5));
    assertThat(row.line())
        .contains("2.50 s (2.00 to 3.00)", "1.25 s (1.00 to 1.50)", "ratio 0.500")
        .endsWith("2.00 times the peer's time");
    ColdRow alone = new ColdRow("fable, exit", List.of(1.0), List.of());
    assertThat(alone.describe()).doesNotContainKeys("peer", "ratio", "times_the_peer");
    assertThat(alone.line()).contains("1.00 s").doesNotContain("ratio");
  }

  @Test
  void promptsHaveExactlySoManyTokens() {
    try (ModelFiles fable = ModelFiles.open(EmbeddedFolder.FABLE.path())) {
      Tokenizer tokenizer = fable.tokenizer();
      for (int count : new int[] {1, 43, 610}) {
        String text = PromptText.of(count, tokenizer);
        assertThat(tokenizer.encode(text, new EncodeOptions(false, false))).hasSize(count);
        assertThat(PromptText.all()).contains(text);
      }
      assertThatThrownBy(() -> PromptText.of(1_000_000, tokenizer))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("1000000 tokens");
    }
  }
}

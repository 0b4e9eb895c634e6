package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class DepthOracleContractTest {
  private static final String TEXT = " the cat. 42\n";
  private static final Tokenizer TOKENIZER =
      new BpeTrainer(new BpeTrainer.Options(300, List.of("<end>"), true, 2))
          .add((TEXT + " then cats.").repeat(9))
          .train();

  private static TokenReadings.Head head(int[] choices, double... confidences) {
    return new TokenReadings.Head(choices, confidences, new double[choices.length]);
  }

  /** Four tokens, exits at 2 and 5 of 8 layers: right at once, at the second, never, by luck. */
  private static TokenReadings readings() {
    int a = TOKENIZER.encode(" the")[0];
    int b = a + 1;
    return new TokenReadings(
        new int[] {a, a, a, a, a},
        List.of(2, 5),
        List.of(
            head(new int[] {a, b, b, a}, 0.9, 0.6, 0.2, 0.3),
            head(new int[] {a, a, b, b}, 0.95, 0.8, 0.7, 0.4)),
        head(new int[] {a, a, a, a}, 1, 1, 1, 1));
  }

  @Test
  void tokensNeedTheShallowestExitThatIsRight() {
    DepthOracle oracle = new DepthOracle(8, TOKENIZER);
    var r = oracle.against(List.of(readings()), new TreeMap<>(Map.of(2, 0.9, 5, 0.75)));
    assertThat(r.all().tokens()).isEqualTo(4);
    assertThat(r.all().needed()).isEqualTo(Map.of("2", 0.5, "5", 0.25, "final", 0.25));
    assertThat(r.all().neededDepth()).isEqualTo((2 + 5 + 8 + 2) / 4.0);
    assertThat(r.all().taken()).isEqualTo(Map.of("2", 0.25, "5", 0.25, "final", 0.5));
    assertThat(r.all().takenDepth()).isEqualTo((2 + 5 + 8 + 8) / 4.0);
    assertThat(r.all().agreement()).isEqualTo(1);
    var lower = oracle.against(List.of(readings()), new TreeMap<>(Map.of(2, 1.0, 5, 0.7)));
    assertThat(lower.all().taken()).isEqualTo(Map.of("2", 0.0, "5", 0.75, "final", 0.25));
    assertThat(lower.all().agreement()).isEqualTo(0.75);
    var twice = oracle.against(List.of(readings(), readings()), lower.thresholds());
    assertThat(twice.all().needed()).isEqualTo(r.all().needed());
    assertThat(twice.all().tokens()).isEqualTo(8);
    assertThat(r.kinds()).containsOnlyKeys(TokenKind.WORD_START);
  }

  @Test
  void withoutThresholdsItIsTheLowestThatKeepsTheAgreement() {
    var r = new DepthOracle(8, TOKENIZER).against(List.of(readings()));
    // at 0.7 the third token leaves wrong at the second exit
    assertThat(r.thresholds()).isEqualTo(Map.of(2, 0.71, 5, 0.71));
    assertThat(r.all().agreement()).isEqualTo(1);
    assertThat(r.all().takenDepth()).isCloseTo((2 + 5 + 8 + 8) / 4.0, within(1e-12));
  }

  @Test
  void kindsFollowFromLetters() {
    int[] ids = TOKENIZER.encode(TEXT);
    TokenKind[] kinds =
        IntStream.range(1, ids.length)
            .mapToObj(i -> TokenKind.of(TOKENIZER, ids[i - 1], ids[i]))
            .toArray(TokenKind[]::new);
    assertThat(kinds).endsWith(TokenKind.SPACE);
    assertThat(kinds).contains(TokenKind.PUNCTUATION, TokenKind.NUMBER);
    int[] the = TOKENIZER.encode(" the");
    int[] s = TOKENIZER.encode("s");
    assertThat(TokenKind.of(TOKENIZER, s[0], the[0])).isEqualTo(TokenKind.WORD_START);
    assertThat(TokenKind.of(TOKENIZER, the[the.length - 1], s[0])).isEqualTo(TokenKind.WORD_PART);
    int newline = TOKENIZER.encode("\n")[0];
    assertThat(TokenKind.of(TOKENIZER, newline, s[0])).isEqualTo(TokenKind.WORD_START);
    int special = TOKENIZER.id("<end>").orElseThrow();
    assertThat(TokenKind.of(TOKENIZER, s[0], special)).isEqualTo(TokenKind.OTHER);
    assertThat(TokenKind.of(TOKENIZER, special, s[0])).isEqualTo(TokenKind.WORD_START);
    byte[] half = "é".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    int part =
        IntStream.range(0, TOKENIZER.vocabSize())
            .filter(id -> !TOKENIZER.isSpecial(id))
            .filter(id -> Arrays.equals(TOKENIZER.bytes(id), new byte[] {half[0]}))
            .findFirst()
            .orElseThrow();
    assertThat(TokenKind.of(TOKENIZER, s[0], part)).isEqualTo(TokenKind.OTHER);
  }
}

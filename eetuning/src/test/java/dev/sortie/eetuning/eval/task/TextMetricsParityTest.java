package dev.sortie.eetuning.eval.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextMetricsParityTest {

  @Test
  void rougeLIsThatOfThePythonPackage() throws IOException {
    try (InputStream in = TextMetricsParityTest.class.getResourceAsStream("rouge.jsonl")) {
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      assertThat(lines).hasSizeGreaterThan(30);
      for (String line : lines) {
        JsonObject pair = Json.parse("rouge.jsonl", line, JsonLimits.CONFIG);
        assertThat(TextMetrics.rougeL(pair.getString("answer"), pair.getString("reference")))
            .as(line)
            .isCloseTo(pair.getDouble("rouge_l", 0, 1), within(1e-12));
      }
    }
  }

  /** By hand: words in common over the words of each side. */
  @ParameterizedTest
  @CsvSource({
    "the cat sat, cat sat, 1, 1",
    "A Cat; sat., the cat sat!, 1, 1",
    "cat sat down, cat sat, 0, 0.8",
    "cat cat cat, cat sat, 0, 0.4",
    "dog, cat, 0, 0",
    "the, a, 1, 1",
    "the, cat, 0, 0"
  })
  void exactMatchAndF1IgnoreCasePunctuationAndArticles(
      String answer, String reference, double exact, double f1) {
    assertThat(TextMetrics.exactMatch(answer, reference)).isEqualTo(exact);
    assertThat(TextMetrics.f1(answer, reference)).isCloseTo(f1, within(1e-12));
  }

  /** As {@code normalize_answer} of SQuAD's evaluation has them under Python 3.11. */
  @ParameterizedTest
  @CsvSource({
    "España, españ, 0, 0",
    "thé, é, 0, 0",
    "un été, été un, 0, 1",
    "der Äa, der ä, 0, 0.5",
    "a², ², 0, 0",
    "un’a, un’, 1, 1",
    "cat\u00a0sat, cat sat, 1, 1",
    "the\u3000cat\u2003sat, cat sat, 1, 1",
    "cat\u001csat, cat sat, 1, 1"
  })
  void wordsEndWhereTheyDoInPythonAlsoOutsideOfAscii(
      String answer, String reference, double exact, double f1) {
    exactMatchAndF1IgnoreCasePunctuationAndArticles(answer, reference, exact, f1);
  }

  @Test
  void theBestReferenceCountsForEachMetricAlone() {
    TextMetrics m = TextMetrics.of("cat sat down", List.of("dog", "cat sat", "down"));
    assertThat(m.f1()).isCloseTo(0.8, within(1e-12));
    assertThat(m.exactMatch()).isZero();
    TextMetrics mean =
        TextMetrics.mean(List.of(new TextMetrics(1, 1, 1), new TextMetrics(0, 0.5, 0)));
    assertThat(mean).isEqualTo(new TextMetrics(0.5, 0.75, 0.5));
  }
}

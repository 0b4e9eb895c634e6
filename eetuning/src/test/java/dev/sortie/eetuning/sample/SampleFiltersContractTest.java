package dev.sortie.eetuning.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each filter refuses what it is for, and nothing else. */
class SampleFiltersContractTest {
  private record Case(String filter, String refused, String passes) {}

  private static final List<Case> CASES =
      List.of(
          new Case("\"finished\": true", "The hen sat under the", "The hen sat."),
          new Case("\"finished\": true", "The hen sat, and", "\"Is it so?\""),
          new Case("\"words\": [3, 5]", "The hen.", "The hen sat."),
          new Case("\"words\": [3, 5]", "The hen sat under the tree.", "The hen's egg isn't here."),
          new Case("\"sentence_words\": 4", "The hen sat under it.", "The hen sat. It did."),
          new Case("\"ascii\": true", "The h\u00e9n sat.", "The hen sat."),
          new Case("\"ascii\": true", "The\then sat.", "The hen sat.\nIt did."),
          new Case("\"prose\": true", "# The hen\nIt sat.", "The hen sat #1 of all."),
          new Case("\"prose\": true", "Words:\n- hen\n- fox", "The well-known hen - a red one."),
          new Case("\"prose\": true", "1. The hen sat.", "There was 1. It sat."),
          new Case("\"prose\": true", "The **hen** sat.", "The hen sat."),
          new Case("\"prose\": true", "A Story:\nThe hen sat.", "She said: go.\nThe hen sat."),
          new Case("\"prose\": true", "A hen named [name].", "A hen named Dot."),
          new Case("\"prose\": true", "\"Go, said the hen.", "\"Go,\" said the hen."),
          new Case("\"prose\": true", "\u201cGo, said the hen.", "\u201cGo,\u201d she said."),
          new Case("\"prose\": true", "\u201eGo, said the hen.", "\u201eGo\u201c, she said."),
          new Case(
              "\"sentence_words\": 4",
              "\u201cShe sat under it here.\u201d",
              "\u201cGo there now.\u201d \u2018I did.\u2019 It slept."),
          new Case("\"ends_before\": [\"story\"]", "", "The hen sat."),
          new Case("\"refused\": [\"here is a\"]", "Here is a story.", "Here is the hen."),
          new Case("\"must_occur\": 1", "The hen jumped.", "The henhouse. A red ball jumped."),
          new Case("\"must_occur\": 0.5", "The cow sat.", "The hen sat."),
          new Case("\"must_occur\": 1", "The then red ball.", "The hen, a red\nball."),
          new Case(
              "\"repeated_4grams\": 0.2",
              "The hen sat and the hen sat and the hen sat.",
              "The hen sat and the fox sat and the cow sat."));

  private static SampledText text(String text) {
    return text(text, "stop");
  }

  private static SampledText text(String text, String finish) {
    return new SampledText(0, 0, 0, "", "", List.of("hen", "red ball"), text, List.of(), 9, finish);
  }

  private static SampleFilters filters(String fields) {
    return SampleFilters.of(Json.parse("table", "{" + fields + "}", JsonLimits.CONFIG));
  }

  @TestFactory
  Stream<DynamicTest> refusesWhatItIsForAndNothingElse() {
    return CASES.stream()
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.filter() + " " + c.refused(),
                    () -> {
                      String name = c.filter().split("\"")[1];
                      SampleFilters f = filters(c.filter());
                      assertThat(f.refusal(text(c.refused()))).isEqualTo(Optional.of(name));
                      assertThat(f.refusal(text(c.passes()))).isEmpty();
                    }));
  }

  @Test
  void aTextThatWasCutByLengthIsNotFinished() {
    SampledText cut = text("The hen sat.", "length");
    assertThat(filters("\"finished\": true").refusal(cut)).contains("finished");
    assertThat(filters("").refusal(cut)).isEmpty();
  }

  @Test
  void aTextThatWasCutByLengthMayEndWithItsLastWholeSentence() {
    SampleFilters filters = filters("\"whole_sentences\": true, \"finished\": true");
    assertThat(plain(filters, "The hen sat. \"Go!\" Dot said. The fox", "length"))
        .isEqualTo("The hen sat. \"Go!\" Dot said.");
    assertThat(plain(filters, "The hen sat. \"I will go. You will", "length"))
        .as("a sentence within an open quote")
        .isEqualTo("The hen sat.");
    assertThat(plain(filters, "The hen sat. \u201cI will go. You will", "length"))
        .isEqualTo("The hen sat.");
    assertThat(plain(filters, "The hen sat. \u201cGo!\u201d The fox", "length"))
        .isEqualTo("The hen sat. \u201cGo!\u201d");
    assertThat(plain(filters, "The hen sat. It did.", "length")).isEqualTo("The hen sat. It did.");
    assertThat(plain(filters, "The hen sat. The fox", "stop")).isEqualTo("The hen sat. The fox");
    assertThat(plain(filters("\"finished\": true"), "The hen sat. The fox", "length"))
        .as("not asked for")
        .isEqualTo("The hen sat. The fox");
    SampledText none = filters.plain(text("The hen sat and", "length"));
    assertThat(none.text()).isEqualTo("The hen sat and");
    assertThat(filters.refusal(none)).contains("finished");
    assertThat(filters.refusal(filters.plain(text("The hen sat. It", "length")))).isEmpty();
  }

  @Test
  void aTextEndsBeforeARemarkAboutIt() {
    SampleFilters filters =
        filters("\"ends_before\": [\"This story\", \"the moral\"], \"finished\": true");
    assertThat(plain(filters, "The hen sat. It slept. this story shows it.", "stop"))
        .isEqualTo("The hen sat. It slept.");
    assertThat(plain(filters, "The hen sat. So, the moral of this story is rest.", "stop"))
        .as("in the middle of a sentence, before another phrase")
        .isEqualTo("The hen sat.");
    assertThat(plain(filters, "The hen sat. \"No. This story is long.\" It slept.", "stop"))
        .as("within quotes")
        .isEqualTo("The hen sat.");
    assertThat(plain(filters, "The hen sat.", "stop")).isEqualTo("The hen sat.");
    SampledText nothing = filters.plain(text("In this story a hen sat.", "stop"));
    assertThat(filters.refusal(nothing)).as("no sentence before it").contains("finished");
    SampleFilters alone = filters("\"ends_before\": [\"this story\"]");
    for (String text : List.of("This story is long.", "In this story a hen sat. It slept.")) {
      assertThat(alone.refusal(alone.plain(text(text)))).as(text).contains("ends_before");
    }
  }

  private static String plain(SampleFilters filters, String text, String finish) {
    return filters.plain(text(text, finish)).text();
  }

  @Test
  void theShareOfRepeatedGramsIsExact() {
    // a b c d a b c d: abcd bcda cdab dabc abcd, the last one again
    assertThat(Words.repeated("a b c d a b c d", 4)).isEqualTo(0.2);
    assertThat(Words.repeated("a b c", 4)).isZero();
  }

  @Test
  void wrongFieldsAreNamed() {
    assertThatThrownBy(() -> filters("\"wordz\": [1, 2]"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("wordz");
    assertThatThrownBy(() -> filters("\"ends_before\": [\"\"]"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("ends_before");
    assertThatThrownBy(() -> filters("\"words\": [5, 2]"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("words");
    assertThatThrownBy(() -> filters("\"near_duplicate\": 2"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("near_duplicate");
    assertThatThrownBy(() -> filters("\"finished\": 1"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("finished");
  }

  @Test
  void typographicCharactersBecomePlainOnes() {
    String typeset = "  \u201cIt\u2019s here\u201d\u2014he said\u2026  \n\n\n  The  end. ";
    assertThat(PlainText.of(typeset, true)).isEqualTo("\"It's here\" - he said...\nThe end.");
    assertThat(PlainText.of(typeset, false))
        .isEqualTo("\u201cIt\u2019s here\u201d\u2014he said\u2026\nThe end.");
  }
}

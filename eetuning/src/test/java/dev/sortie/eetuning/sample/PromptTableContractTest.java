package dev.sortie.eetuning.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A prompt follows from table, seed and number; a table that cannot give one is refused. */
class PromptTableContractTest {
  private static final String TABLE =
      """
      {"questions": ["Tell of {who} and {who#2}.", "Tell of {who} {place}."],
       "openings": ["There was {who}"],
       "words": {"who": ["a {nature} hen", "a {nature} fox", "a cow"], "nature": ["red", "shy"],
                 "place": ["at sea", "at home"]},
       "must": ["nature", "place"]}""";

  private static PromptTable table(String json) {
    return new PromptTable(Json.parse("table", json, JsonLimits.CONFIG));
  }

  @Test
  void aPromptDependsOnSeedAndNumberAlone() {
    PromptTable table = table(TABLE);
    List<SampledPrompt> first = LongStream.range(0, 50).mapToObj(n -> table.draw(3, n)).toList();
    for (int n = 49; n >= 0; n--) {
      assertThat(table(TABLE).draw(3, n)).isEqualTo(first.get(n));
    }
    assertThat(LongStream.range(0, 50).mapToObj(n -> table.draw(4, n)).toList())
        .isNotEqualTo(first);
  }

  @Test
  void aPlaceHasOneWordThroughoutAPromptAndASecondPlaceAnother() {
    PromptTable table = table(TABLE);
    Set<String> questions = new HashSet<>();
    for (int n = 0; n < 300; n++) {
      SampledPrompt p = table.draw(1, n);
      String who = p.opening().substring("There was ".length());
      assertThat(who).isIn("a red hen", "a shy hen", "a red fox", "a shy fox", "a cow");
      assertThat(p.question()).startsWith("Tell of " + who + " ").doesNotContain("{", "and " + who);
      for (String must : p.must()) {
        assertThat(p.question() + p.opening()).contains(must);
      }
      questions.add(p.question());
    }
    // 5 characters at 2 places; hen and fox of one of 2 natures, in 2 orders; a cow and 4 others
    assertThat(questions).hasSize(10 + 4 + 8);
  }

  @TestFactory
  Stream<DynamicTest> whatIsWrongIsNamed() {
    record Wrong(String json, List<String> named) {}
    return Stream.of(
            new Wrong("{}", List.of("openings")),
            new Wrong("{\"openings\": [\"A {x}\"]}", List.of("openings", "{x}", "words.x")),
            new Wrong("{\"openings\": [\"A {x}\"], \"words\": {\"x\": []}}", List.of("words.x")),
            new Wrong(
                "{\"openings\": [\"A {x} {x#2}\"], \"words\": {\"x\": [\"a\"]}}",
                List.of("{x#2}", "words.x", "2")),
            new Wrong(
                "{\"openings\": [\"A {x}\"], \"words\": {\"x\": [\"{y}\"], \"y\": [\"{x}\"]}}",
                List.of("{x}", "within its own words")),
            new Wrong(
                "{\"openings\": [\"A\"], \"words\": {\"x\": [\"a\"]}}",
                List.of("words.x", "remove it")),
            new Wrong("{\"openings\": [\"A\"], \"must\": [\"x\"]}", List.of("must", "\"x\"")),
            new Wrong("{\"openings\": [\"A\"], \"system\": \"s\"}", List.of("questions")),
            new Wrong(
                "{\"questions\": [\"A\"], \"examples\": [{\"question\": \"q\"}]}",
                List.of("answer")),
            new Wrong("{\"openings\": [\"A\"], \"texts_per_prompt\": 0}", List.of("texts_per_")),
            new Wrong("{\"openings\": [1]}", List.of("openings[0]")),
            new Wrong("{\"opening\": [\"A\"]}", List.of("opening")))
        .map(
            w ->
                DynamicTest.dynamicTest(
                    w.json(),
                    () ->
                        assertThatThrownBy(() -> table(w.json()))
                            .isInstanceOf(InputException.class)
                            .hasMessageContainingAll(w.named().toArray(String[]::new))));
  }

  @Test
  void theTableOfQuestionsHasNoneOfTheBenchmark() throws IOException {
    SampleTable table = SampleTable.read(Path.of("..", "examples", "questions.json"));
    Set<String> distinct = new HashSet<>();
    for (int n = 0; n < 20_000; n++) {
      SampledPrompt p = table.prompts().draw(1, n);
      assertThat(p.question()).doesNotContain("{", "}", "  ");
      distinct.add(p.question());
    }
    assertThat(distinct).hasSizeGreaterThan(3_500);
    for (String file : List.of("prompts.jsonl", "prompts-held-out.jsonl")) {
      String measured = Files.readString(Path.of("..", "benchmarks", file));
      assertThat(distinct).noneMatch(measured::contains);
    }
  }

  @Test
  void theTableOfStoriesHasThousandsOfPrompts() {
    SampleTable stories = SampleTable.read(Path.of("..", "examples", "stories.json"));
    Set<String> distinct = new HashSet<>();
    for (int n = 0; n < 20_000; n++) {
      SampledPrompt p = stories.prompts().draw(1, n);
      assertThat(p.question() + p.opening()).doesNotContain("{", "}", "  ");
      p.must().forEach(word -> assertThat(p.question()).contains(word));
      distinct.add(p.question() + p.opening());
    }
    assertThat(distinct).hasSizeGreaterThan(19_000);
    assertThat(stories.filters().rules()).hasSizeGreaterThan(5);
    assertThat(stories.sampling(7, 0).promptPenalised()).isFalse();
  }
}

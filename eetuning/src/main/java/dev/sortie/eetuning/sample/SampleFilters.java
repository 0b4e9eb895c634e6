package dev.sortie.eetuning.sample;

import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a sampled text must be like to be kept, as the object {@code filters} of a table says. Each
 * rule looks at one text; near-duplicates are found by {@link NearDuplicates}.
 *
 * @param rules in the order in which they are asked
 * @param ascii whether texts are written in ASCII: typographic quotes and dashes become plain ones,
 *     and a text with any other character is refused
 * @param wholeSentences whether a text that ran into the limit of tokens ends with its last whole
 *     sentence
 * @param remark phrases that begin remarks about a text: it ends with the last whole sentence
 *     before the first of them
 * @param nearDuplicate Jaccard similarity from which a text repeats one that was kept; empty where
 *     repeated texts stay
 */
record SampleFilters(
    List<Rule> rules,
    boolean ascii,
    boolean wholeSentences,
    Optional<Pattern> remark,
    OptionalDouble nearDuplicate) {
  /** Keeps all texts as they are. */
  static final SampleFilters NONE =
      new SampleFilters(List.of(), false, false, Optional.empty(), OptionalDouble.empty());

  /** Name of the rule against near-duplicates, as a filter and in counts. */
  static final String NEAR_DUPLICATE = "near_duplicate";

  private static final String ENDS_BEFORE = "ends_before";

  private static final int GRAM = 4;
  private static final Set<String> FIELDS =
      Set.of(
          "finished",
          "whole_sentences",
          ENDS_BEFORE,
          "words",
          "sentence_words",
          "repeated_4grams",
          "prose",
          "ascii",
          "must_occur",
          "refused",
          NEAR_DUPLICATE);

  /** The end of a sentence, maybe within quotes or brackets. */
  private static final Pattern ENDING =
      Pattern.compile(".*[.!?][\"')\u201d\u2019]*", Pattern.DOTALL);

  private static final Pattern SENTENCES = Pattern.compile("[.!?]+[\"')\u201d\u2019]*(\\s+|$)");

  /** Plain, English and German ones. */
  private static final String QUOTES = "\"\u201c\u201d\u201e";

  /** Headings, lists, tables, code, emphasis, links and places to be filled in. */
  private static final Pattern MARKUP =
      Pattern.compile(
          "^\\s*([#>|*+-]|\\d+[.)]|\\[)|\\*\\*|```|\\bhttps?:|[<>\\[\\]{}|_]|^[^\\s\"]+( [^\\s\"]+){0,3}:$",
          Pattern.MULTILINE);

  private static final Pattern NOT_ASCII = Pattern.compile("[^\\n\\x20-\\x7e]");

  /**
   * A rule.
   *
   * @param name of its field, under which refused texts are counted
   * @param refuses whether a text is to go; it is looked at in its plain form
   */
  record Rule(String name, Predicate<SampledText> refuses) {}

  SampleFilters {
    rules = List.copyOf(rules);
  }

  /** Reads the rules; a field that is missing asks for nothing. */
  static SampleFilters of(JsonObject json) {
    json.refuseUnknown(FIELDS);
    List<Rule> rules = new ArrayList<>();
    boolean wholeSentences = json.getBoolean("whole_sentences", false);
    if (json.getBoolean("finished", false)) {
      rules.add(
          new Rule(
              "finished",
              t -> !(t.ended() || wholeSentences) || !ENDING.matcher(t.text()).matches()));
    }
    if (json.has("words")) {
      List<Integer> range = json.getInts("words", 0, Integer.MAX_VALUE);
      if (range.size() != 2 || range.get(0) > range.get(1)) {
        throw json.error("words", "the fewest and the most words of a text");
      }
      rules.add(
          new Rule(
              "words",
              t -> {
                int words = Words.of(t.text()).size();
                return words < range.get(0) || words > range.get(1);
              }));
    }
    json.optional("sentence_words", n -> json.getDouble(n, 1, 1e6))
        .ifPresent(
            most -> rules.add(new Rule("sentence_words", t -> sentenceWords(t.text()) > most)));
    boolean ascii = json.getBoolean("ascii", false);
    if (ascii) {
      rules.add(new Rule("ascii", t -> NOT_ASCII.matcher(t.text()).find()));
    }
    if (json.getBoolean("prose", false)) {
      rules.add(new Rule("prose", t -> !isProse(t.text())));
    }
    json.optional("refused", json::getStrings)
        .ifPresent(phrases -> rules.add(new Rule("refused", t -> has(t.text(), phrases))));
    json.optional("must_occur", n -> json.getDouble(n, 0, 1))
        .ifPresent(
            share ->
                rules.add(new Rule("must_occur", t -> occurring(t) < share * t.must().size())));
    json.optional("repeated_4grams", n -> json.getDouble(n, 0, 1))
        .ifPresent(
            most ->
                rules.add(new Rule("repeated_4grams", t -> Words.repeated(t.text(), GRAM) > most)));
    Optional<Pattern> remark =
        json.optional(ENDS_BEFORE, json::getStrings).map(phrases -> anyOf(json, phrases));
    if (remark.isPresent()) {
      rules.add(new Rule(ENDS_BEFORE, t -> t.text().isEmpty()));
    }
    Optional<Double> near = json.optional(NEAR_DUPLICATE, n -> json.getDouble(n, 0.1, 1));
    return new SampleFilters(
        rules,
        ascii,
        wholeSentences,
        remark,
        near.map(OptionalDouble::of).orElse(OptionalDouble.empty()));
  }

  /** A text in the form in which the rules look at it and in which it is kept. */
  SampledText plain(SampledText sample) {
    String text = PlainText.of(sample.text(), ascii);
    Optional<Integer> end =
        remark.map(r -> r.matcher(text)).filter(Matcher::find).map(Matcher::start);
    if (end.isPresent()) {
      return sample.with(toLastSentence(text.substring(0, end.get())).orElse(""));
    }
    return sample.with(
        wholeSentences && !sample.ended() ? toLastSentence(text).orElse(text) : text);
  }

  private static Pattern anyOf(JsonObject json, List<String> phrases) {
    if (phrases.isEmpty() || phrases.contains("")) {
      throw json.error(ENDS_BEFORE, "phrases, and none without a character");
    }
    String any = phrases.stream().map(Pattern::quote).collect(Collectors.joining("|"));
    return Pattern.compile(any, Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  }

  /** As far as a sentence ends outside of quotes, if one does. */
  private static Optional<String> toLastSentence(String text) {
    return SENTENCES
        .matcher(text)
        .results()
        .map(end -> text.substring(0, end.end()).strip())
        .filter(SampleFilters::quotesAreClosed)
        .reduce((_, last) -> last);
  }

  /** The rule that refuses a text, if one does. */
  Optional<String> refusal(SampledText text) {
    return rules.stream().filter(r -> r.refuses().test(text)).findFirst().map(Rule::name);
  }

  /** Mean number of words of a sentence. */
  private static double sentenceWords(String text) {
    long sentences = SENTENCES.matcher(text).results().count();
    return (double) Words.of(text).size() / Math.max(1, sentences);
  }

  private static boolean isProse(String text) {
    return !MARKUP.matcher(text).find() && quotesAreClosed(text);
  }

  private static boolean quotesAreClosed(String text) {
    return text.chars().filter(c -> QUOTES.indexOf(c) >= 0).count() % 2 == 0;
  }

  private static boolean has(String text, List<String> phrases) {
    String lower = text.toLowerCase(Locale.ROOT);
    return phrases.stream().anyMatch(p -> lower.contains(p.toLowerCase(Locale.ROOT)));
  }

  /** How many of the words that a text was to have begin one of its words. */
  private static long occurring(SampledText text) {
    String words = " " + String.join(" ", Words.of(text.text())) + " ";
    return text.must().stream()
        .filter(w -> words.contains(" " + String.join(" ", Words.of(w))))
        .count();
  }
}

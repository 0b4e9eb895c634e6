package dev.sortie.eetuning.sample;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.tensor.Random;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What prompts are made of: templates with places such as {@code {animal}}, and lists of words for
 * them. A word may have places of its own. One place has one word throughout a prompt, and {@code
 * {animal#2}} is another word of the same list. Which words prompt {@code n} has depends on the
 * seed and {@code n} alone.
 */
final class PromptTable {
  private static final Pattern PLACE = Pattern.compile("\\{([a-z_]+)(#[2-9])?}");
  private static final Set<String> FIELDS =
      Set.of("system", "examples", "questions", "openings", "words", "must", "texts_per_prompt");

  private final Optional<String> system;
  private final List<SampledPrompt.Example> examples;
  private final List<String> questions;
  private final List<String> openings;
  private final Map<String, List<String>> words = new LinkedHashMap<>();
  private final List<String> must;
  private final int textsPerPrompt;

  /**
   * Reads the object {@code prompts} of a table.
   *
   * @throws InputException naming the field that is wrong
   */
  PromptTable(JsonObject json) {
    json.refuseUnknown(FIELDS);
    system = json.optional("system", json::getString);
    examples =
        json.optional("examples", json::getObjects).orElse(List.of()).stream()
            .map(PromptTable::example)
            .toList();
    questions = json.optional("questions", json::getStrings).orElse(List.of());
    openings = json.optional("openings", json::getStrings).orElse(List.of());
    must = json.optional("must", json::getStrings).orElse(List.of());
    textsPerPrompt = json.optional("texts_per_prompt", n -> json.getInt(n, 1, 1 << 20)).orElse(1);
    if (questions.isEmpty() && openings.isEmpty()) {
      throw json.error("openings", "at least one, where there are no questions");
    }
    if (questions.isEmpty() && (system.isPresent() || !examples.isEmpty())) {
      throw json.error("questions", "at least one, where there is a system message or an example");
    }
    json.optional("words", json::getObject)
        .ifPresent(o -> o.fields().keySet().forEach(name -> addWords(o, name)));
    requirePlaces(json);
  }

  private static SampledPrompt.Example example(JsonObject json) {
    json.refuseUnknown(Set.of("question", "answer"));
    return new SampledPrompt.Example(json.getString("question"), json.getString("answer"));
  }

  private void addWords(JsonObject lists, String name) {
    List<String> list = lists.getStrings(name);
    if (list.isEmpty()) {
      throw lists.error(name, "at least one word");
    }
    words.put(name, list);
  }

  /** Each place has a list of enough words, and each list a place. */
  private void requirePlaces(JsonObject json) {
    Set<String> used = new LinkedHashSet<>();
    questions.forEach(t -> addPlaces(json, "questions", t, used, List.of()));
    openings.forEach(t -> addPlaces(json, "openings", t, used, List.of()));
    for (String place : must) {
      if (!used.contains(place)) {
        throw json.error("must", "names of places in the templates; \"" + place + "\" is none");
      }
    }
    for (String name : words.keySet()) {
      if (used.stream().noneMatch(place -> listOf(place).equals(name))) {
        throw new InputException(
            "%s: the list words.%s has no place {%s} in a template; remove it, or use it"
                .formatted(json.origin(), name, name));
      }
    }
  }

  /**
   * The places of a text, and those of all words that may come there.
   *
   * @param within places in whose words the text stands
   */
  private void addPlaces(
      JsonObject json, String field, String text, Set<String> used, List<String> within) {
    for (String place : PLACE.matcher(text).results().map(m -> place(m.group())).toList()) {
      String name = listOf(place);
      List<String> list = words.getOrDefault(name, List.of());
      int needed = place.equals(name) ? 1 : place.charAt(place.length() - 1) - '0';
      if (list.size() < needed) {
        throw new InputException(
            "%s: %s: the place {%s} in \"%s\" needs a list words.%s of %d or more, there are %d"
                .formatted(json.origin(), field, place, text, name, needed, list.size()));
      }
      if (within.contains(place)) {
        throw new InputException(
            "%s: %s: the place {%s} stands within its own words, as in \"%s\"; remove it there"
                .formatted(json.origin(), field, place, text));
      }
      if (used.add(place)) {
        List<String> inside = new ArrayList<>(within);
        inside.add(place);
        list.forEach(word -> addPlaces(json, "words." + name, word, used, inside));
      }
    }
  }

  private static String place(String braced) {
    return braced.substring(1, braced.length() - 1);
  }

  private static String listOf(String place) {
    int end = place.indexOf('#');
    return end < 0 ? place : place.substring(0, end);
  }

  /** Texts in a row that have one prompt. */
  int textsPerPrompt() {
    return textsPerPrompt;
  }

  /** Whether a model is asked, which takes a chat template. */
  boolean asks() {
    return !questions.isEmpty();
  }

  /**
   * Prompt {@code number} of a seed.
   *
   * @param seed of all prompts
   */
  SampledPrompt draw(long seed, long number) {
    Random random = new Random(seed, 0).stream("prompt").stream(number);
    Draw draw = new Draw(random);
    String question = questions.isEmpty() ? "" : draw.fill(pick(random, "question", questions));
    String opening = openings.isEmpty() ? "" : draw.fill(pick(random, "opening", openings));
    List<String> required =
        must.stream().filter(draw.chosen::containsKey).map(draw.chosen::get).toList();
    return new SampledPrompt(
        number,
        system,
        examples.isEmpty() ? Optional.empty() : Optional.of(pick(random, "example", examples)),
        question,
        opening,
        required);
  }

  private static <T> T pick(Random random, String stream, List<T> from) {
    return from.get(random.stream(stream).below(0, from.size()));
  }

  /** The words of one prompt. */
  private final class Draw {
    private final Random random;
    private final Map<String, String> chosen = new LinkedHashMap<>();

    /** Of each list the words that no place of this prompt has. */
    private final Map<String, List<String>> left = new HashMap<>();

    Draw(Random random) {
      this.random = random.stream("words");
    }

    String fill(String template) {
      return PLACE
          .matcher(template)
          .replaceAll(m -> Matcher.quoteReplacement(word(place(m.group()))));
    }

    private String word(String place) {
      if (!chosen.containsKey(place)) {
        String name = listOf(place);
        List<String> list = left.computeIfAbsent(name, n -> new ArrayList<>(words.get(n)));
        String word = list.remove(random.stream(place).below(0, list.size()));
        chosen.put(place, fill(word));
      }
      return chosen.get(place);
    }
  }
}

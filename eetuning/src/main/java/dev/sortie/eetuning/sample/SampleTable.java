package dev.sortie.eetuning.sample;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * A file that says what is sampled: {@code prompts}, {@code sampling} and {@code filters}, and
 * {@code about} for those who read it. {@code docs/sampling.md} has all fields.
 */
public final class SampleTable {
  private static final String FORMAT = "sortie-prompts";
  private static final String PENALISE_PROMPT = "penalise_prompt";
  private static final int MOST_TOKENS = 1 << 20;

  private final PromptTable prompts;
  private final List<Double> temperatures;
  private final int topK;
  private final double topP;
  private final double minP;
  private final double repetitionPenalty;
  private final boolean promptPenalised;
  private final int maxTokens;
  private final String maxTokensField;
  private final SampleFilters filters;
  private final String sha256;

  private SampleTable(JsonObject json) {
    json.refuseUnknown(Set.of("format", "about", "prompts", "sampling", "filters"));
    json.getString("format", Set.of(FORMAT));
    json.optional("about", json::getStrings);
    JsonObject asked = json.getObject("prompts");
    prompts = new PromptTable(asked);
    JsonObject sampling = json.getObject("sampling");
    sampling.refuseUnknown(
        Set.of(
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "repetition_penalty",
            PENALISE_PROMPT,
            "max_tokens"));
    temperatures = temperatures(sampling);
    topK = (int) number(sampling, "top_k", 0, Integer.MAX_VALUE, 0);
    topP = number(sampling, "top_p", Double.MIN_VALUE, 1, 1);
    minP = number(sampling, "min_p", 0, 1, 0);
    repetitionPenalty =
        number(sampling, "repetition_penalty", SamplingOptions.LEAST_PENALTY, 100, 1);
    promptPenalised = sampling.getBoolean(PENALISE_PROMPT, true);
    maxTokens = sampling.getInt("max_tokens", 1, MOST_TOKENS);
    maxTokensField = "sampling.max_tokens of " + json.origin();
    filters =
        json.optional("filters", json::getObject).map(SampleFilters::of).orElse(SampleFilters.NONE);
    String decisive = Json.compact(Json.object("prompts", asked, "sampling", sampling));
    sha256 = Sha256.of(decisive.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Reads a table.
   *
   * @param file a file, a pipe, or {@code -} for standard input
   * @throws dev.sortie.nn.InputException naming the field that is wrong
   */
  public static SampleTable read(Path file) {
    return new SampleTable(Json.readNamed(file));
  }

  private static double number(JsonObject of, String field, double min, double max, double absent) {
    return of.optional(field, name -> of.getDouble(name, min, max)).orElse(absent);
  }

  private static List<Double> temperatures(JsonObject sampling) {
    if (sampling.fields().get("temperature") instanceof List<?>) {
      List<Double> several = sampling.getDoubles("temperature", 0, 100);
      if (several.isEmpty()) {
        throw sampling.error("temperature", "at least one");
      }
      return several;
    }
    return List.of(number(sampling, "temperature", 0, 100, 1));
  }

  PromptTable prompts() {
    return prompts;
  }

  SampleFilters filters() {
    return filters;
  }

  int maxTokens() {
    return maxTokens;
  }

  /** The file and the field that {@link #maxTokens} is from. */
  String maxTokensField() {
    return maxTokensField;
  }

  /**
   * How text {@code number} is sampled: consecutive texts take the temperatures in turns.
   *
   * @param seed of its random numbers
   */
  SamplingOptions sampling(long seed, long number) {
    double temperature = temperatures.get((int) (number % temperatures.size()));
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, promptPenalised, seed);
  }

  /** Hash of what decides which texts are sampled: prompts and sampling, but not the filters. */
  String sha256() {
    return sha256;
  }
}

package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.sampling.CountPenalty;
import dev.sortie.eetuning.decode.sampling.LogitBias;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * How tokens are chosen and where a text ends, as the endpoints that generate have it in common.
 *
 * @param temperature 1 where the client gives none, as in the OpenAI API
 * @param seed of the first choice; the next have the next numbers
 * @param choices texts for each prompt
 */
record SamplingFields(
    double temperature,
    double topP,
    int topK,
    double minP,
    double repetitionPenalty,
    long seed,
    int choices,
    List<String> stop,
    boolean ignoreEos,
    List<Supplier<LogitRule>> rules) {
  private static final int MOST_CHOICES = 16;
  private static final int MOST_STOPS = 16;
  private static final double MOST_BIAS = 100;

  static SamplingFields of(RequestFields f, int vocab) {
    List<Supplier<LogitRule>> rules = new ArrayList<>();
    f.object("logit_bias").ifPresent(o -> rules.add(bias(f, o, vocab)));
    double frequency = f.number("frequency_penalty", -2, 2).orElse(0);
    double presence = f.number("presence_penalty", -2, 2).orElse(0);
    if (frequency != 0 || presence != 0) {
      rules.add(() -> new CountPenalty(frequency, presence));
    }
    double topP = f.number("top_p", 0, 1).orElse(1);
    if (topP == 0) {
      throw f.wrong("top_p", "a number above 0, up to 1");
    }
    double penalty = f.number("repetition_penalty", SamplingOptions.LEAST_PENALTY, 100).orElse(1);
    List<String> stop = f.strings("stop", MOST_STOPS);
    if (stop.stream().anyMatch(String::isEmpty)) {
      throw f.wrong("stop", "texts that are not empty");
    }
    return new SamplingFields(
        f.number("temperature", 0, 2).orElse(1),
        topP,
        f.integer("top_k", 0, Integer.MAX_VALUE).orElse(0),
        f.number("min_p", 0, 1).orElse(0),
        penalty,
        f.longInteger("seed").orElseGet(() -> ThreadLocalRandom.current().nextInt(1 << 30)),
        f.integer("n", 1, MOST_CHOICES).orElse(1),
        stop,
        f.flag("ignore_eos"),
        rules);
  }

  private static Supplier<LogitRule> bias(RequestFields f, JsonObject object, int vocab) {
    Map<Integer, Float> byToken = new HashMap<>();
    object
        .fields()
        .forEach(
            (name, value) -> {
              boolean id = name.matches("[0-9]{1,9}") && Integer.parseInt(name) < vocab;
              if (!id || !(value instanceof Number n) || Math.abs(n.doubleValue()) > MOST_BIAS) {
                throw ApiError.invalid(
                    "logit_bias",
                    "logit_bias: '%s' is no id below %d with a number from -100 to 100"
                        .formatted(name, vocab));
              }
              byToken.put(Integer.valueOf(name), n.floatValue());
            });
    LogitBias rule = new LogitBias(byToken);
    return () -> rule;
  }

  /** The options of one choice. */
  GenerateOptions options(int choice, int maxTokens, OptionalInt logprobs) {
    SamplingOptions sampling =
        new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, seed + choice);
    return new GenerateOptions(maxTokens, sampling, stop, ignoreEos, rules, logprobs);
  }
}

package dev.sortie.eetuning.sample;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A text as it was sampled, a line of a shard.
 *
 * @param number of the text, from 0
 * @param prompt number of its prompt
 * @param seed of its random numbers
 * @param question what was asked, maybe nothing
 * @param opening what the text begins with, which the model did not choose
 * @param must words that the text was to have
 * @param text the whole text, with its opening
 * @param ids of the prompt and of what the model chose after it, as the model saw them
 * @param tokens how many of them the model chose
 * @param finish why it ended: {@code stop} or {@code length}
 */
record SampledText(
    long number,
    long prompt,
    long seed,
    String question,
    String opening,
    List<String> must,
    String text,
    List<Integer> ids,
    int tokens,
    String finish) {
  private static final Set<String> FIELDS =
      Set.of(
          "number",
          "prompt",
          "seed",
          "question",
          "opening",
          "must",
          "text",
          "ids",
          "tokens",
          "finish");

  SampledText {
    must = List.copyOf(must);
    ids = List.copyOf(ids);
  }

  /** The same with its text in another form. */
  SampledText with(String otherText) {
    return new SampledText(
        number, prompt, seed, question, opening, must, otherText, ids, tokens, finish);
  }

  /** Whether the model ended it. */
  boolean ended() {
    return finish.equals("stop");
  }

  Map<String, Object> json() {
    return Json.object(
        "number", number,
        "prompt", prompt,
        "seed", seed,
        "question", question,
        "opening", opening,
        "must", must,
        "text", text,
        "ids", ids,
        "tokens", tokens,
        "finish", finish);
  }

  static SampledText of(JsonObject line) {
    line.refuseUnknown(FIELDS);
    return new SampledText(
        line.getLong("number", 0, Long.MAX_VALUE),
        line.getLong("prompt", 0, Long.MAX_VALUE),
        line.getLong("seed", Long.MIN_VALUE, Long.MAX_VALUE),
        line.getString("question"),
        line.getString("opening"),
        line.getStrings("must"),
        line.getString("text"),
        line.getInts("ids", 0, Integer.MAX_VALUE),
        line.getInt("tokens", 1, Integer.MAX_VALUE),
        line.getString("finish", Set.of("stop", "length")));
  }
}

package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.nn.json.Json;
import java.util.List;
import java.util.Map;

/**
 * Tokens read and generated. A prompt counts once, however many choices it has.
 *
 * @param prompt tokens of the prompts
 * @param cached those of them that were found in the cache
 * @param completion tokens generated, the one that ends a text too
 */
record Usage(int prompt, int cached, int completion) {

  /**
   * Of texts that have ended.
   *
   * @param choices texts for each prompt, in a row
   */
  static Usage of(List<TextEvent.End> ends, int choices) {
    int prompt = 0;
    int cached = 0;
    int completion = 0;
    for (int i = 0; i < ends.size(); i++) {
      if (i % choices == 0) {
        prompt += ends.get(i).generation().promptIds().length;
        cached += ends.get(i).found();
      }
      completion += ends.get(i).generation().tokens().size();
    }
    return new Usage(prompt, cached, completion);
  }

  Map<String, Object> json() {
    return Json.object(
        "prompt_tokens",
        prompt,
        "completion_tokens",
        completion,
        "total_tokens",
        prompt + completion,
        "prompt_tokens_details",
        Json.object("cached_tokens", cached));
  }
}

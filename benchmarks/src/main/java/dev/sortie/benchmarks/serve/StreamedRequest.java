package dev.sortie.benchmarks.serve;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A request for a text of a given length, in fields that Sortie's and llama.cpp's server share.
 *
 * @param prompt token ids
 * @param tokens that follow; none of them ends the text
 * @param temperature 0 for the likeliest tokens
 * @param seed of the sampling
 */
public record StreamedRequest(List<Integer> prompt, int tokens, double temperature, long seed) {

  Map<String, Object> json() {
    return Json.object(
        "prompt",
        prompt,
        "max_tokens",
        tokens,
        "temperature",
        temperature,
        "seed",
        seed,
        "ignore_eos",
        true,
        "stream",
        true,
        "stream_options",
        Map.of("include_usage", true));
  }

  /**
   * Prompts of a text, one after the other; each begins elsewhere, so that a cache of prefixes
   * finds none.
   */
  public static final class Source {
    private final int[] text;
    private final int length;
    private int next;

    /**
     * @param length tokens of each prompt
     */
    public Source(String text, Tokenizer tokenizer, int length) {
      this.text = tokenizer.encode(text, EncodeOptions.PLAIN);
      this.length = length;
      if (this.text.length <= length) {
        throw new InputException(
            "--prompt-tokens %d: the text of the prompts has %d tokens; take fewer"
                .formatted(length, this.text.length));
      }
    }

    /** The next one; the first comes again after all others. */
    public synchronized List<Integer> next() {
      int from = next;
      next = (next + 1) % (text.length - length);
      return Arrays.stream(text, from, from + length).boxed().toList();
    }
  }
}

package dev.sortie.benchmarks.stories;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.sample.Words;
import dev.sortie.nn.load.LanguageModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Stories that belong together.
 *
 * @param name of the set
 * @param stories the texts
 * @param ended how many of them their author ended, where that is known; the others were cut off
 */
public record StorySet(String name, List<String> stories, OptionalInt ended) {
  private static final int GRAM = 4;

  /** Mean number of words. */
  public double words() {
    return stories.stream().mapToInt(s -> Words.of(s).size()).average().orElse(0);
  }

  /** Mean share of 4-grams of words that stood in the same story before. */
  public double repeated() {
    return stories.stream().mapToDouble(s -> Words.repeated(s, GRAM)).average().orElse(0);
  }

  /** What another model needs for a token, nats, over the tokens of all stories. */
  public double nll(Model judge) {
    LanguageModel model = judge.languageModel();
    return new TextScorer(model, Exits.none(), model.device())
        .score(stories, TextScorer.Progress.NONE)
        .heads()
        .get(ExitKeys.FINAL)
        .nll();
  }

  /** The figures as fields of JSON. */
  public Map<String, Object> describe(Model judge) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("stories", name);
    row.put("count", stories.size());
    ended.ifPresent(n -> row.put("ended", n));
    row.put("words", words());
    row.put("repeated_4grams", repeated());
    row.put("judge_nll", nll(judge));
    return row;
  }
}

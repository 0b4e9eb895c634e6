package dev.sortie.benchmarks.stories;

import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.TextOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A way to choose the tokens of a story. */
public enum StoryWay {
  /** Greedy, but a word that stood before is less likely. */
  GREEDY("greedy, --repetition-penalty 1.15", 0, 0, 1.15),

  /** Drawn, with the number of the story as the seed. */
  SAMPLED("--temperature 0.7 --min-p 0.1 --repetition-penalty 1.1", 0.7, 0.1, 1.1);

  private final String words;
  private final double temperature;
  private final double minP;
  private final double penalty;

  StoryWay(String words, double temperature, double minP, double penalty) {
    this.words = words;
    this.temperature = temperature;
    this.minP = minP;
    this.penalty = penalty;
  }

  /** As options of {@code generate}. */
  @Override
  public String toString() {
    return words;
  }

  /**
   * Continues beginnings until the model ends a story or its context is full.
   *
   * @param beginnings of stories
   * @throws dev.sortie.nn.InputException if one of them fills the context
   */
  public StorySet write(Model model, List<String> beginnings) {
    int context = model.languageModel().config().decoder().context();
    List<String> stories = new ArrayList<>();
    int ended = 0;
    for (String beginning : beginnings) {
      int left = context - model.generate(beginning, TextOptions.atMost(1)).promptTokens();
      SamplingOptions sampling =
          new SamplingOptions(temperature, 0, 1, minP, penalty, stories.size() + 1);
      TextOptions options = TextOptions.atMost(left).sampling(sampling);
      Generation written = model.generate(beginning, options).forEach(token -> {});
      stories.add(beginning + written.text());
      ended += written.finish().equals("stop") ? 1 : 0;
    }
    return new StorySet(words, stories, OptionalInt.of(ended));
  }
}

package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.nn.load.LanguageModel;
import java.util.ArrayList;
import java.util.List;

/**
 * Decodes the same prompts in several ways. All ways take turns prompt by prompt, so that a slow
 * moment of the machine falls on all of them; a round that is not counted comes first.
 */
public final class InterleavedRuns {
  private final LanguageModel model;
  private final List<DecodingVariant> variants;
  private final List<Item> items;
  private final int rounds;

  /**
   * One prompt.
   *
   * @param ids the prompt
   * @param options how to go on
   */
  public record Item(int[] ids, GenerateOptions options) {}

  /** Is told of progress. */
  public interface Progress {
    /** {@code done} of {@link #units} generations are done. */
    void done(long done, String detail);
  }

  /**
   * What one way of decoding gave.
   *
   * @param variant the way
   * @param rounds generations, {@code [round][item]}
   * @param speculation what was guessed in the last round, by item
   */
  public record Outcome(
      DecodingVariant variant, List<List<Generation>> rounds, List<SpeculationReport> speculation) {
    /** Tokens a second over all items, the median round; the first token of each is not counted. */
    public double tokensPerSecond() {
      double[] rates = rounds.stream().mapToDouble(Outcome::rate).sorted().toArray();
      return rates[rates.length / 2];
    }

    private static double rate(List<Generation> round) {
      return round.stream().mapToInt(g -> g.tokens().size() - 1).sum()
          / round.stream().mapToDouble(Generation::decodeSeconds).sum();
    }
  }

  /** A comparison over {@code rounds} rounds that count. */
  public InterleavedRuns(
      LanguageModel model, List<DecodingVariant> variants, List<Item> items, int rounds) {
    this.model = model;
    this.variants = List.copyOf(variants);
    this.items = List.copyOf(items);
    this.rounds = rounds;
  }

  /** Generations in all. */
  public long units() {
    return (long) variants.size() * items.size() * (rounds + 1);
  }

  /** Runs it; outcomes in the order of the variants. */
  public List<Outcome> run(Progress progress) {
    List<Outcome> outcomes =
        variants.stream().map(c -> new Outcome(c, new ArrayList<>(), new ArrayList<>())).toList();
    long done = 0;
    for (int round = 0; round <= rounds; round++) {
      outcomes.forEach(
          o -> {
            o.rounds.add(new ArrayList<>());
            o.speculation.clear();
          });
      for (int i = 0; i < items.size(); i++) {
        // each time another one begins: whoever comes after a pause or a change is slower
        int first = (round * items.size() + i) % outcomes.size();
        for (int k = 0; k < outcomes.size(); k++) {
          Outcome o = outcomes.get((first + k) % outcomes.size());
          Decoded d = decode(model, o.variant, items.get(i));
          o.rounds.getLast().add(d.generation());
          o.speculation.add(d.speculation());
          progress.done(++done, round == 0 ? "warm-up" : "round " + round);
        }
      }
    }
    outcomes.forEach(o -> o.rounds.removeFirst());
    return outcomes;
  }

  /**
   * One generation.
   *
   * @param speculation what was guessed; nothing where the way of decoding does not guess
   */
  public record Decoded(Generation generation, SpeculationReport speculation) {}

  /** Decodes one prompt. */
  public static Decoded decode(LanguageModel model, DecodingVariant variant, Item item) {
    int capacity = item.ids().length + item.options().maxTokens();
    try (DecodingStrategy s = variant.opener().apply(capacity)) {
      Generator generator =
          new Generator(
              s, model.tokenizer(), model.config().eos(), model.config().decoder().vocab());
      Generation g = generator.run(item.ids(), item.options(), t -> {});
      return new Decoded(g, s.speculation());
    }
  }
}

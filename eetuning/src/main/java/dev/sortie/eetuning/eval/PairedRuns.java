package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.Generator;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.nn.load.LanguageModel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Decodes the same prompts in several ways, each in pairs with full depth: one prompt at full depth
 * and in the other way, one immediately after the other. Both runs of a pair meet the machine in
 * the same state, so a slow minute leaves the ratio of their speeds as it is, and a slow moment
 * spoils single pairs, which the median passes over. Which of the two runs first alternates from
 * pair to pair, so what depends on the order cancels out.
 *
 * <p>{@code docs/decoding-speed.md} has the number of pairs, their length and the reasons for both.
 */
public final class PairedRuns {
  private final Runner runner;
  private final DecodingVariant full;
  private final List<DecodingVariant> variants;
  private final List<Item> items;
  private final int rounds;

  /**
   * One prompt.
   *
   * @param ids the prompt
   * @param options how to continue it
   */
  public record Item(int[] ids, GenerateOptions options) {}

  /** Is told of progress. */
  public interface Progress {
    /** {@code done} of {@link #units} generations are done. */
    void done(long done, String detail);
  }

  /** Decodes one prompt in one way. */
  @FunctionalInterface
  interface Runner {
    Decoded decode(DecodingVariant variant, Item item);
  }

  /**
   * One generation.
   *
   * @param speculation what was drafted; nothing where the way of decoding does not draft
   */
  public record Decoded(Generation generation, SpeculationReport speculation) {}

  /**
   * One prompt, decoded in one way and at full depth.
   *
   * @param decoded in this way
   * @param full at full depth, immediately before or after
   */
  public record Pair(Decoded decoded, Generation full) {
    /** Whether both have a speed: a text of one token, which comes from the prefill, has none. */
    public boolean isTimed() {
      return decoded.generation().tokens().size() > 1 && full.tokens().size() > 1;
    }

    /** Decode tokens per second of this way over those of full depth. */
    public double ratio() {
      return decoded.generation().decodeTokensPerSecond() / full.decodeTokensPerSecond();
    }
  }

  /**
   * What one way of decoding gave.
   *
   * @param variant the way
   * @param items number of prompts
   * @param pairs round after round, each in the order of the prompts
   */
  public record Outcome(DecodingVariant variant, int items, List<Pair> pairs) {
    /** One generation for each prompt. */
    public List<Decoded> firstRound() {
      return pairs.subList(0, items).stream().map(Pair::decoded).toList();
    }

    /** Pairs that have a speed. */
    public List<Pair> timed() {
      return pairs.stream().filter(Pair::isTimed).toList();
    }

    /** Tokens per second, the median of the pairs; the first token of each is not counted. */
    public double tokensPerSecond() {
      return Median.of(
          timed().stream().mapToDouble(p -> p.decoded().generation().decodeTokensPerSecond()));
    }
  }

  /**
   * A comparison.
   *
   * @param full the unmodified backbone
   * @param variants what is compared with it; {@code full} itself may be among them, and then shows
   *     what two runs of the same work differ by
   * @param rounds pairs for each way and prompt
   */
  public PairedRuns(
      LanguageModel model,
      DecodingVariant full,
      List<DecodingVariant> variants,
      List<Item> items,
      int rounds) {
    this((variant, item) -> decode(model, variant, item), full, variants, items, rounds);
  }

  PairedRuns(
      Runner runner,
      DecodingVariant full,
      List<DecodingVariant> variants,
      List<Item> items,
      int rounds) {
    this.runner = runner;
    this.full = full;
    this.variants = List.copyOf(variants);
    this.items = List.copyOf(items);
    this.rounds = rounds;
  }

  /** Generations in all. */
  public long units() {
    return 2L * variants.size() * (1 + (long) items.size() * rounds);
  }

  /** Runs it, after one turn that is not counted; outcomes in the order of the variants. */
  public List<Outcome> run(Progress progress) {
    List<Outcome> outcomes =
        variants.stream().map(v -> new Outcome(v, items.size(), new ArrayList<>())).toList();
    long perTurn = 2L * variants.size();
    turn(0, items.getFirst(), done -> progress.done(done, "warm-up"));
    for (long turn = 0; turn < (long) items.size() * rounds; turn++) {
      String detail = "round " + (1 + turn / items.size()) + " of " + rounds;
      long before = perTurn * (1 + turn);
      List<Pair> pairs =
          turn(
              turn,
              items.get((int) (turn % items.size())),
              done -> progress.done(before + done, detail));
      for (int v = 0; v < pairs.size(); v++) {
        outcomes.get(v).pairs().add(pairs.get(v));
      }
    }
    return outcomes;
  }

  /**
   * One prompt in every way, each next to full depth.
   *
   * @param turn number of the turn: each begins with another way, since whoever comes after a pause
   *     is slower, and in each a way changes places with full depth
   * @param done is told how many of its generations are done
   * @return a pair for each variant, in their order
   */
  public List<Pair> turn(long turn, Item item, LongConsumer done) {
    Pair[] pairs = new Pair[variants.size()];
    for (int i = 0; i < pairs.length; i++) {
      int v = (int) ((turn + i) % pairs.length);
      pairs[v] = pair(variants.get(v), item, (turn + v) % 2 == 0);
      done.accept(2L * (i + 1));
    }
    return List.of(pairs);
  }

  private Pair pair(DecodingVariant variant, Item item, boolean fullFirst) {
    if (fullFirst) {
      Generation base = runner.decode(full, item).generation();
      return new Pair(runner.decode(variant, item), base);
    }
    Decoded decoded = runner.decode(variant, item);
    return new Pair(decoded, runner.decode(full, item).generation());
  }

  private static Decoded decode(LanguageModel model, DecodingVariant variant, Item item) {
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

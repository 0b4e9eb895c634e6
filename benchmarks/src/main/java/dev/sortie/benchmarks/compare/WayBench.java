package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.eval.AgreementCounter;
import dev.sortie.eetuning.eval.DecodingVariant;
import dev.sortie.eetuning.eval.PairedRuns;
import dev.sortie.eetuning.eval.PredictedSpeed;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * Decodes a prompt in several ways, each next to full depth.
 *
 * @param model backbone
 * @param ways full depth among them, which is compared with itself
 * @param tokens of each text
 * @param table costs, for predictions
 * @param device where to compute
 */
public record WayBench(
    LanguageModel model,
    SequencedMap<String, DecodingVariant> ways,
    int tokens,
    CostTable table,
    Device device) {
  private static final long SEED = 1;

  /**
   * The ways that have a meaning at a temperature, in the order of {@link #ways}. What an exit
   * would draw is not comparable with what full depth draws.
   *
   * @param turn as for {@link PairedRuns#turn}
   * @throws DisagreementException if a lossless way has another text than full depth
   */
  public List<WayRun> run(int[] prompt, double temperature, int turn) {
    List<String> words =
        ways.keySet().stream().filter(w -> temperature == 0 || Ways.isLossless(w)).toList();
    List<PairedRuns.Pair> pairs = pairs(words, prompt, tokens, temperature, turn);
    List<WayRun> runs = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      PairedRuns.Pair pair = pairs.get(i);
      boolean lossless = Ways.isLossless(word);
      List<Integer> ids = ids(pair.decoded().generation());
      if (lossless && !ids.equals(ids(pair.full()))) {
        throw new DisagreementException(word + " has another text than full depth");
      }
      int agreed =
          lossless
              ? ids.size() - 1
              : new AgreementCounter(model, device)
                  .count(prompt, ids.stream().mapToInt(Integer::intValue).toArray());
      runs.add(WayRun.of(word, ways.get(word), pair, agreed, new PredictedSpeed(table)));
    }
    return runs;
  }

  /** Runs every way for a while, so that all is compiled. */
  public void warmUp(int[] prompt, int length) {
    pairs(List.copyOf(ways.keySet()), prompt, length, 0, 0);
  }

  private List<PairedRuns.Pair> pairs(
      List<String> words, int[] prompt, int length, double temperature, int turn) {
    GenerateOptions options =
        new GenerateOptions(
            length, new SamplingOptions(temperature, 0, 1, 0, 1, SEED), List.of(), true);
    PairedRuns.Item item = new PairedRuns.Item(prompt, options);
    List<DecodingVariant> variants = words.stream().map(ways::get).toList();
    return new PairedRuns(model, ways.get(Ways.FULL), variants, List.of(item), 1)
        .turn(turn, item, _ -> {});
  }

  private static List<Integer> ids(Generation g) {
    return g.tokens().stream().map(GeneratedToken::id).toList();
  }
}

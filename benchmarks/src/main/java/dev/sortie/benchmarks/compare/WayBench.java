package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.eval.AgreementCounter;
import dev.sortie.eetuning.eval.DecodingVariant;
import dev.sortie.eetuning.eval.InterleavedRuns;
import dev.sortie.eetuning.eval.PredictedSpeed;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * Decodes a prompt in several ways, one after the other.
 *
 * @param model backbone
 * @param ways full depth among them
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
   * @param turn each time another way begins: whoever comes after a pause is slower
   * @throws DisagreementException if a lossless way has another text than full depth
   */
  public List<WayRun> run(int[] prompt, double temperature, int turn) {
    List<String> words =
        ways.keySet().stream().filter(w -> temperature == 0 || Ways.isLossless(w)).toList();
    InterleavedRuns.Decoded[] decoded = new InterleavedRuns.Decoded[words.size()];
    for (int i = 0; i < decoded.length; i++) {
      int k = (turn + i) % decoded.length;
      decoded[k] = decode(ways.get(words.get(k)), prompt, tokens, temperature);
    }
    List<Integer> expected = ids(decoded[words.indexOf(Ways.FULL)]);
    List<WayRun> runs = new ArrayList<>();
    for (int i = 0; i < decoded.length; i++) {
      String word = words.get(i);
      boolean lossless = Ways.isLossless(word);
      List<Integer> ids = ids(decoded[i]);
      if (lossless && !ids.equals(expected)) {
        throw new DisagreementException(word + " has another text than full depth");
      }
      int agreed =
          lossless
              ? ids.size() - 1
              : new AgreementCounter(model, device)
                  .count(prompt, ids.stream().mapToInt(Integer::intValue).toArray());
      runs.add(WayRun.of(word, ways.get(word), decoded[i], agreed, new PredictedSpeed(table)));
    }
    return runs;
  }

  /** Runs every way for a while, so that all is compiled. */
  public void warmUp(int[] prompt, int length) {
    ways.values().forEach(c -> decode(c, prompt, length, 0));
  }

  private InterleavedRuns.Decoded decode(
      DecodingVariant c, int[] prompt, int length, double temperature) {
    GenerateOptions options =
        new GenerateOptions(
            length, new SamplingOptions(temperature, 0, 1, 0, 1, SEED), List.of(), true);
    return InterleavedRuns.decode(model, c, new InterleavedRuns.Item(prompt, options));
  }

  private static List<Integer> ids(InterleavedRuns.Decoded d) {
    return d.generation().tokens().stream().map(GeneratedToken::id).toList();
  }
}

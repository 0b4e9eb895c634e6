package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.BatchSequence;
import dev.sortie.eetuning.decode.batch.PagePool;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Several texts decoded together, greedy, in turns with other numbers of texts in one JVM; each
 * text must be the same in any company.
 *
 * @param sequences texts at once
 * @param rate tokens a second of all together, the median round
 * @param early share of tokens that left at an exit
 */
public record BatchRates(int sequences, double rate, double early) {
  private static final List<String> PROMPTS =
      List.of(
          "What is photosynthesis, and why do plants need it?",
          "Tell me a story about a fox and a hen who live under the same tree.",
          "Write a Python function that returns the first n Fibonacci numbers, and explain it.",
          "The dormouse is a small animal that sleeps for most of the year. It lives in woods and hedges.",
          "Yesterday we went to the market and bought three apples. The woman who sold them was friendly.");

  /** What to measure: numbers of texts, and tokens of each. */
  public record Settings(List<Integer> sequences, int tokens, int rounds) {}

  /**
   * Measures; a round that is not counted comes first.
   *
   * @param policy when texts leave at an exit
   * @throws DisagreementException if a text depends on its company
   */
  public static List<BatchRates> measure(
      LanguageModel m, Exits exits, ExitPolicy policy, Settings settings, Device device) {
    int most = settings.sequences.stream().mapToInt(i -> i).max().orElseThrow();
    int[][] prompts = new int[most][];
    int pages = 0;
    for (int i = 0; i < most; i++) {
      // texts of the same prompt differ by its beginning
      prompts[i] = m.tokenizer().encode((i + 1) + ". " + PROMPTS.get(i % PROMPTS.size()));
      pages += Math.ceilDiv(prompts[i].length + settings.tokens, PagePool.PAGE_TOKENS);
    }
    int[][] texts = new int[most][];
    double[][] rates = new double[settings.sequences.size()][settings.rounds];
    double[] early = new double[settings.sequences.size()];
    try (BatchDecoder decoder = new BatchDecoder(m.decoder(), exits, device);
        PagePool pool = new PagePool(m.decoder(), exits, pages, PagePool.PAGE_TOKENS, true)) {
      for (int round = -1; round < settings.rounds; round++) {
        for (int turn = 0; turn < rates.length; turn++) {
          int which = Math.floorMod(turn + round, rates.length);
          int n = settings.sequences.get(which);
          Run run = new Run(decoder, pool, policy, settings.tokens);
          double rate = run.rate(Arrays.copyOf(prompts, n));
          for (int i = 0; i < n; i++) {
            if (texts[i] != null && !Arrays.equals(texts[i], run.texts[i])) {
              throw new DisagreementException("text " + i + " depends on its company");
            }
            texts[i] = run.texts[i];
          }
          early[which] = run.early;
          if (round >= 0) {
            rates[which][round] = rate;
          }
        }
      }
    }
    List<BatchRates> all = new ArrayList<>();
    for (int i = 0; i < rates.length; i++) {
      Arrays.sort(rates[i]);
      double median = rates[i][rates[i].length / 2];
      all.add(
          new BatchRates(
              settings.sequences.get(i), Figure.rounded(median), Figure.rounded(early[i])));
    }
    return all;
  }

  /** One round of texts. */
  private static final class Run {
    private final BatchDecoder decoder;
    private final PagePool pool;
    private final ExitPolicy policy;
    private final int tokens;
    private int[][] texts;
    private double early;

    Run(BatchDecoder decoder, PagePool pool, ExitPolicy policy, int tokens) {
      this.decoder = decoder;
      this.pool = pool;
      this.policy = policy;
      this.tokens = tokens;
    }

    double rate(int[][] prompts) {
      List<BatchSequence> open = new ArrayList<>();
      texts = new int[prompts.length][tokens];
      int[] next = new int[prompts.length];
      int left = 0;
      try {
        for (int i = 0; i < prompts.length; i++) {
          open.add(
              decoder
                  .open(pool, policy, EarlyExit.MAX_PENDING, prompts[i], prompts[i].length + tokens)
                  .orElseThrow());
          Optional<Step> step = Optional.empty();
          while (step.isEmpty()) {
            step = decoder.readPrompt(open.get(i), 512);
          }
          next[i] = Sampler.argmax(step.get().logits());
        }
        long start = System.nanoTime();
        for (int t = 0; t < tokens; t++) {
          List<Step> steps = decoder.next(open, next);
          for (int i = 0; i < next.length; i++) {
            texts[i][t] = next[i];
            next[i] = Sampler.argmax(steps.get(i).logits());
            left += steps.get(i).exit().isPresent() ? 1 : 0;
          }
        }
        double all = (double) tokens * prompts.length;
        early = left / all;
        return all / ((System.nanoTime() - start) * 1e-9);
      } finally {
        open.forEach(BatchSequence::close);
      }
    }
  }
}

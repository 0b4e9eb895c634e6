package dev.sortie.eetuning.decode.sampling;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.Random;
import java.util.Arrays;
import java.util.List;

/**
 * Chooses tokens from logits. Filters apply in the order penalty, the text's own rules,
 * temperature, top-k, top-p, min-p, as in transformers. Ties go to the lower id.
 */
public final class Sampler {
  private final SamplingOptions options;
  private final Random random;
  private final boolean[] seen;

  /** The ids that were seen, each once: {@code distinct} of them. */
  private int[] ids = new int[64];

  private int distinct;
  private final List<LogitRule> rules;

  /** A sampler over {@code vocab} tokens. */
  public Sampler(SamplingOptions options, int vocab) {
    this(options, vocab, List.of());
  }

  /** A sampler over {@code vocab} tokens for a text with rules of its own. */
  public Sampler(SamplingOptions options, int vocab, List<LogitRule> rules) {
    this.options = options;
    this.rules = List.copyOf(rules);
    this.random = new Random(options.seed(), 0).stream("sampling");
    this.seen = new boolean[vocab];
  }

  /** Notes the tokens of the prompt, for the repetition penalty. */
  public void read(int[] prompt) {
    if (options.promptPenalised()) {
      for (int id : prompt) {
        saw(id);
      }
    }
  }

  /** Notes that {@code id} stands in the text, for the repetition penalty. */
  public void saw(int id) {
    if (!seen[id]) {
      seen[id] = true;
      ids = distinct == ids.length ? Arrays.copyOf(ids, 2 * distinct) : ids;
      ids[distinct++] = id;
    }
  }

  /** Notes that {@code id} was chosen, for the repetition penalty and the text's rules. */
  public void chose(int id) {
    saw(id);
    rules.forEach(rule -> rule.chosen(id));
  }

  /** Whether only its options decide, so that it shares nothing with samplers of other texts. */
  public boolean isPlain() {
    return rules.isEmpty();
  }

  /**
   * The next token.
   *
   * @param logits {@code [V]}; as they were when this returns
   * @param position where it will stand; decides the random number
   */
  public int choose(float[] logits, long position) {
    if (options.repetitionPenalty() == 1 && rules.isEmpty()) {
      return chosen(logits, position);
    }
    if (rules.isEmpty()) { // the penalty changes few of them: no copy
      float[] before = penalise(logits);
      int id = chosen(logits, position);
      for (int i = 0; i < distinct; i++) {
        logits[ids[i]] = before[i];
      }
      return id;
    }
    float[] x = logits.clone();
    penalise(x);
    for (LogitRule rule : rules) {
      rule.apply(x);
    }
    if (x[argmax(x)] == Float.NEGATIVE_INFINITY) {
      throw new InputException("the rules for this text allow no token here");
    }
    return chosen(x, position);
  }

  /** Applies the repetition penalty; returns what the logits of {@link #ids} were. */
  private float[] penalise(float[] x) {
    double penalty = options.repetitionPenalty();
    float[] before = new float[distinct];
    for (int i = 0; i < distinct; i++) {
      float logit = x[ids[i]];
      before[i] = logit;
      if (penalty != 1) {
        x[ids[i]] = (float) (logit > 0 ? logit / penalty : logit * penalty);
      }
    }
    return before;
  }

  private int chosen(float[] x, long position) {
    return options.temperature() == 0 ? argmax(x) : sample(x, random.uniform(position));
  }

  /** Index of the largest element, the first of equals. */
  public static int argmax(float[] x) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      if (x[i] > x[best]) {
        best = i;
      }
    }
    return best;
  }

  private int sample(float[] x, double u) {
    Ranking ranking = new Ranking(x);
    double max = ranking.max();
    int kept = options.topK() == 0 ? x.length : Math.min(options.topK(), x.length);
    double mass = Double.NaN;
    if (options.topP() < 1) {
      double enough = options.topP() * mass(ranking, x, max, kept);
      mass = 0;
      for (int i = 0; i < kept; i++) {
        mass += weight(x[ranking.id(i)], max);
        if (mass >= enough) {
          kept = i + 1;
        }
      }
    }
    if (options.minP() > 0) {
      int likely = 1;
      double likelyMass = 1; // the likeliest has weight 1
      while (likely < kept && weight(x[ranking.id(likely)], max) >= options.minP()) {
        likelyMass += weight(x[ranking.id(likely)], max);
        likely++;
      }
      mass = likely < kept ? likelyMass : mass;
      kept = likely;
    }
    if (Double.isNaN(mass)) { // of so many that it is not summed up where few are kept
      mass = mass(ranking, x, max, kept);
    }
    double left = u * mass;
    for (int i = 0; i < kept - 1; i++) {
      left -= weight(x[ranking.id(i)], max);
      if (left < 0) {
        return ranking.id(i);
      }
    }
    // rounding may leave a rest after the last one; it must not end at a token that cannot come
    while (x[ranking.id(kept - 1)] == Float.NEGATIVE_INFINITY) {
      kept--;
    }
    return ranking.id(kept - 1);
  }

  /** Sum of the weights of the {@code kept} most likely. */
  private double mass(Ranking ranking, float[] x, double max, int kept) {
    if (kept == x.length) {
      return WeightSum.of(x, max, options.temperature());
    }
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      sum += weight(x[ranking.id(i)], max);
    }
    return sum;
  }

  /** Probability in relation to the most likely token's. */
  private double weight(double logit, double max) {
    return NegativeExp.of((logit - max) / options.temperature());
  }
}

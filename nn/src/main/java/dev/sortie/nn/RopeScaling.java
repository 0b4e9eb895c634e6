package dev.sortie.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * How the frequencies of rotary embedding are changed for contexts longer than those of
 * pre-training. Without a change, pair {@code j} of {@code rotary / 2} turns by {@code theta^(-2j /
 * rotary)} a position. All arithmetic in F64 by {@link StrictMath}.
 */
public sealed interface RopeScaling {
  /** No change. */
  RopeScaling NONE = new None();

  /** Angle of each pair at position 1, {@code rotary / 2} numbers. */
  double[] frequencies(double theta, int rotary);

  /** Factor on cosines and sines. */
  default double magnitude() {
    return 1;
  }

  /** No change. */
  record None() implements RopeScaling {
    @Override
    public double[] frequencies(double theta, int rotary) {
      double[] f = new double[rotary / 2];
      for (int j = 0; j < f.length; j++) {
        f[j] = StrictMath.pow(theta, -2.0 * j / rotary);
      }
      return f;
    }
  }

  /**
   * Positions are divided by a factor (arXiv 2306.15595).
   *
   * @param factor how many times longer the context is
   */
  record Linear(double factor) implements RopeScaling {
    /** Refuses a factor below 1. */
    public Linear {
      atLeastOne("factor", factor);
    }

    @Override
    public double[] frequencies(double theta, int rotary) {
      double[] f = NONE.frequencies(theta, rotary);
      for (int j = 0; j < f.length; j++) {
        f[j] /= factor;
      }
      return f;
    }
  }

  /**
   * That of Llama 3.1: slow pairs are slowed down by a factor, fast ones stay, those between are
   * blended by how often they turn within the old context.
   *
   * @param factor on the slow ones
   * @param low turns in the old context below which a pair is slow
   * @param high turns above which it is fast
   * @param original the old context
   */
  record Llama3(double factor, double low, double high, int original) implements RopeScaling {
    /** Refuses what makes no sense. */
    public Llama3 {
      atLeastOne("factor", factor);
      if (!(low > 0 && high > low) || original < 1) {
        throw new InputException(
            "low_freq_factor %s, high_freq_factor %s and original_max_position_embeddings %d must be positive, the second above the first"
                .formatted(low, high, original));
      }
    }

    @Override
    public double[] frequencies(double theta, int rotary) {
      double[] f = NONE.frequencies(theta, rotary);
      for (int j = 0; j < f.length; j++) {
        double turns = original * f[j] / (2 * Math.PI);
        double keep = Math.clamp((turns - low) / (high - low), 0, 1);
        f[j] = keep * f[j] + (1 - keep) * f[j] / factor;
      }
      return f;
    }
  }

  /**
   * YaRN (arXiv 2309.00071): as Llama 3, but blended by the number of the pair, and with larger
   * scores.
   *
   * @param factor on the slow pairs
   * @param fast turns in the old context above which a pair stays as it is
   * @param slow turns below which it is slowed down
   * @param original the old context
   * @param magnitude factor on cosines and sines
   */
  record Yarn(double factor, double fast, double slow, int original, double magnitude)
      implements RopeScaling {
    /** Refuses what makes no sense. */
    public Yarn {
      atLeastOne("factor", factor);
      if (!(slow > 0 && fast > slow && magnitude > 0) || original < 1) {
        throw new InputException(
            "beta_slow %s, beta_fast %s, original_max_position_embeddings %d and attention_factor %s must be positive, the second above the first"
                .formatted(slow, fast, original, magnitude));
      }
    }

    /** The magnitude that the paper advises. */
    public static double magnitude(double factor) {
      return 0.1 * StrictMath.log(factor) + 1;
    }

    @Override
    public double[] frequencies(double theta, int rotary) {
      double[] f = NONE.frequencies(theta, rotary);
      double from = Math.max(0, Math.floor(pair(fast, theta, rotary)));
      double to = Math.min(rotary - 1.0, Math.ceil(pair(slow, theta, rotary)));
      double width = to == from ? 0.001 : to - from;
      for (int j = 0; j < f.length; j++) {
        double slowed = Math.clamp((j - from) / width, 0, 1);
        f[j] = slowed * f[j] / factor + (1 - slowed) * f[j];
      }
      return f;
    }

    /** The pair that turns {@code turns} times in the old context; a fraction. */
    private double pair(double turns, double theta, int rotary) {
      return rotary
          * StrictMath.log(original / (turns * 2 * Math.PI))
          / (2 * StrictMath.log(theta));
    }
  }

  /**
   * Each frequency is divided by a number of its own: what GGUF files have in place of {@link
   * Llama3}.
   *
   * @param factors one a pair
   */
  record Divided(List<Float> factors) implements RopeScaling {
    /** Refuses what is no divisor. */
    public Divided {
      factors = List.copyOf(factors);
      for (float f : factors) {
        if (!(f > 0 && f < 1e6)) {
          throw new InputException("rotary factor " + f + " is not between 0 and 1e6");
        }
      }
    }

    /** What {@code scaling} divides frequencies by. */
    public static Divided of(RopeScaling scaling, double theta, int rotary) {
      double[] plain = NONE.frequencies(theta, rotary);
      double[] scaled = scaling.frequencies(theta, rotary);
      List<Float> factors = new ArrayList<>();
      for (int j = 0; j < plain.length; j++) {
        factors.add((float) (plain[j] / scaled[j]));
      }
      return new Divided(factors);
    }

    /** Whether the factors are the same but for rounding. */
    public boolean isNear(Divided other) {
      boolean near = factors.size() == other.factors.size();
      for (int j = 0; near && j < factors.size(); j++) {
        near = Math.abs(factors.get(j) / other.factors.get(j) - 1) < 1e-4;
      }
      return near;
    }

    @Override
    public double[] frequencies(double theta, int rotary) {
      double[] f = NONE.frequencies(theta, rotary);
      if (f.length != factors.size()) {
        throw new InputException(
            factors.size() + " rotary factors for the " + f.length + " pairs of a head");
      }
      for (int j = 0; j < f.length; j++) {
        f[j] /= factors.get(j);
      }
      return f;
    }
  }

  private static void atLeastOne(String field, double value) {
    if (!(value >= 1 && value < 1e6)) {
      throw new InputException("rotary scaling: " + field + " " + value + " is not from 1 to 1e6");
    }
  }
}

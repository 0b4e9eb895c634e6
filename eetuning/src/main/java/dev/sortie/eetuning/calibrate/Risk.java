package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.eval.TokenReadings;
import dev.sortie.nn.UsageException;
import java.util.Locale;

/** What is lost when an exit decides a token instead of the final layer. */
public enum Risk {
  /** Share of tokens whose choice is not the final layer's: 1 for such a token. */
  DISAGREEMENT {
    @Override
    double loss(TokenReadings.Head exit, TokenReadings.Head last, int token) {
      return exit.choices()[token] == last.choices()[token] ? 0 : 1;
    }
  },
  /**
   * Increase of the negative log-likelihood of the text's own tokens, in nats per token; at most
   * {@link #MOST} for one token, such as one that a draft head does not cover.
   */
  NLL {
    @Override
    double loss(TokenReadings.Head exit, TokenReadings.Head last, int token) {
      return Math.min(MOST, exit.nll()[token] - last.nll()[token]);
    }
  };

  /** Nats that one token can lose. */
  static final double MOST = 10;

  abstract double loss(TokenReadings.Head exit, TokenReadings.Head last, int token);

  /**
   * A sequence's mean loss between 0 and 1, as tests of a bounded mean need it. Disagreement is so
   * by itself; a gain in likelihood counts as no loss, and more than 1 nat per token as 1.
   */
  double bounded(double meanLoss) {
    return Math.clamp(meanLoss, 0, 1);
  }

  /** The word used in files and options. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The risk that {@code word} names. */
  public static Risk of(String word) {
    for (Risk r : values()) {
      if (r.word().equals(word)) {
        return r;
      }
    }
    throw new UsageException("--risk '" + word + "' is unknown; take disagreement or nll");
  }
}

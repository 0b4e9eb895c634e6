package dev.sortie.eetuning.train.tune;

import dev.sortie.nn.UsageException;
import java.util.Locale;

/** What an exit is tuned to predict. */
public enum Objective {
  /** The next token of the text: cross-entropy. */
  CE,
  /** The final layer's distribution: {@code KL(final ‖ exit)}. */
  KL;

  /** The objective that {@code word} names. */
  public static Objective of(String word) {
    for (Objective o : values()) {
      if (o.word().equals(word)) {
        return o;
      }
    }
    throw new UsageException("--objective '" + word + "' is unknown; take ce or kl");
  }

  /** The word used in files and options. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}

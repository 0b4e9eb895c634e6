package dev.sortie.eetuning.eval;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;

/** The keys of exits in files and plots: the depth in digits, or "final" for the final layer. */
public final class ExitKeys {
  public static final String FINAL = "final";

  /** Scores only: decoding never leaves there. */
  static final String LOOKAHEAD = "lookahead";

  /** Shallow before deep, the final layer last. */
  static final Comparator<String> BY_DEPTH = Comparator.comparingInt(ExitKeys::depth);

  private ExitKeys() {}

  /** Key of an exit that was taken; empty means the final layer. */
  public static String of(OptionalInt exit) {
    return exit.isPresent() ? Integer.toString(exit.getAsInt()) : FINAL;
  }

  /** Depth in layers; the final layer counts as deeper than any exit. */
  static int depth(String key) {
    if (key.equals(FINAL)) {
      return Integer.MAX_VALUE;
    }
    ResultChecks.require(
        key.matches("[1-9][0-9]{0,5}"),
        "exit key is \"" + key + "\", expected a depth such as \"3\", or \"" + FINAL + "\"");
    return Integer.parseInt(key);
  }

  /** The distinct keys, shallow first; each must be one. */
  static List<String> sorted(Collection<String> keys) {
    // A comparator alone would never see the only key of a list.
    keys.forEach(ExitKeys::depth);
    return new LinkedHashSet<>(keys).stream().sorted(BY_DEPTH).toList();
  }

  /** How people read it: "exit 3" or "final". */
  public static String label(String key) {
    return key.equals(FINAL) ? FINAL : "exit " + key;
  }
}

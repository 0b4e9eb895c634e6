package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.decode.DraftSources;
import dev.sortie.eetuning.decode.MaxProbability;
import dev.sortie.eetuning.eval.Contender;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Words for ways of decoding: {@code full}; {@code early-exit@0.7}, all exits at one threshold;
 * {@code early-exit:24@0.7} and {@code early-exit:20+24@0.7}, some of them; {@code
 * speculative:prompt-lookup}, {@code speculative:prompt-lookup+lookahead}, by who guesses, with
 * {@code @X} for the confidence below which exits do not.
 */
public final class Ways {
  /** The baseline of every speed-up. */
  public static final String FULL = "full";

  private static final Pattern WORD =
      Pattern.compile("(early-exit|speculative)(?::([a-z0-9+-]+))?(?:@([0-9.]{1,8}))?");

  private Ways() {}

  /** Each source that the exits allow, all of them, and all exits at three thresholds. */
  public static List<String> defaults(Exits exits) {
    List<String> words = new ArrayList<>();
    List<String> sources = DraftSources.defaults(exits);
    sources.forEach(s -> words.add("speculative:" + s));
    if (sources.size() > 1) {
      words.add("speculative:" + String.join("+", sources));
    }
    if (!exits.exits().isEmpty()) {
      words.addAll(List.of("early-exit@0.9", "early-exit@0.7", "early-exit@0.5"));
    }
    return words;
  }

  /** Whether this way's text is that of full depth. */
  public static boolean isLossless(String word) {
    return !word.startsWith("early-exit") || word.endsWith("@1");
  }

  /** Full depth and the ways of these words. */
  public static SequencedMap<String, Contender> of(
      List<String> words, LanguageModel model, Exits exits, Device device) {
    SequencedMap<String, Contender> ways = new LinkedHashMap<>();
    ways.put(FULL, Contender.full(model, device));
    for (String word : words) {
      ways.put(word, way(word, model, exits, device));
    }
    return ways;
  }

  private static Contender way(String word, LanguageModel model, Exits exits, Device device) {
    Matcher m = WORD.matcher(word);
    if (!m.matches()) {
      throw new InputException(
          "--way '"
              + word
              + "' is unknown; examples: early-exit:24@0.7, speculative:prompt-lookup");
    }
    List<String> parts =
        m.group(2) == null ? List.of() : Arrays.asList(m.group(2).split("\\+", -1));
    if (m.group(1).equals("speculative")) {
      OptionalDouble threshold =
          m.group(3) == null ? OptionalDouble.empty() : OptionalDouble.of(number(word, m.group(3)));
      DraftSources.check(parts, !exits.backboneSha256().isEmpty());
      List<String> drafts = parts.isEmpty() ? DraftSources.defaults(exits) : parts;
      return Contender.speculative(word, model, exits, drafts, threshold, device);
    }
    if (m.group(3) == null) {
      throw new InputException("--way '" + word + "' has no threshold; as in early-exit@0.7");
    }
    if (exits.exits().isEmpty()) {
      throw new InputException("--way '" + word + "' needs --exits DIR with exits to leave at");
    }
    double threshold = number(word, m.group(3));
    Exits asked =
        parts.isEmpty()
            ? exits
            : ActiveExits.at(exits, parts.stream().map(p -> (int) number(word, p)).toList());
    return Contender.early(word, model, asked, new MaxProbability(threshold), threshold, device);
  }

  private static double number(String word, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new InputException("--way '" + word + "': '" + text + "' is not a number", e);
    }
  }
}

package dev.sortie.benchmarks.compare;

import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.eval.DecodingVariant;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Words for ways of decoding: {@code full}; {@code early-exit@0.7}, all exits at one threshold;
 * {@code early-exit:24@0.7} and {@code early-exit:20+24@0.7}, some of them; {@code
 * early-exit:20=0.7+24=0.5}, a threshold each; {@code early-exit:FILE.json}, calibrated; each of
 * these with {@code early-exit+prompt-lookup} instead, which also drafts; {@code
 * speculative:prompt-lookup}, {@code speculative:prompt-lookup+lookahead}, by who drafts, with
 * {@code @X} for the confidence below which exits do not.
 */
public final class Ways {
  /** The baseline of every speed-up. */
  public static final String FULL = "full";

  private static final Pattern WORD =
      Pattern.compile("(early-exit|speculative)(?::([a-z0-9+-]+))?(?:@([0-9.]{1,8}))?");

  private static final Pattern EACH = Pattern.compile("early-exit:([0-9.+]+=[0-9.=+]+)");
  private static final Pattern CALIBRATED = Pattern.compile("early-exit:(.+\\.json)");

  private static final String EARLY = DecodingVariant.EARLY_EXIT;
  private static final String EARLY_EXIT_DRAFTS = DecodingVariant.EARLY_EXIT_DRAFTS;

  private Ways() {}

  /** The word without the drafter of early exits. */
  private static String alone(String word) {
    return drafts(word) ? EARLY + word.substring(EARLY_EXIT_DRAFTS.length()) : word;
  }

  private static boolean drafts(String word) {
    return word.startsWith(EARLY_EXIT_DRAFTS);
  }

  /** Each source that the exits allow, all of them, and all exits at three thresholds. */
  public static List<String> defaults(Exits exits) {
    List<String> words = new ArrayList<>();
    List<String> sources = DraftSources.defaults(exits);
    sources.forEach(s -> words.add("speculative:" + s));
    if (sources.size() > 1) {
      words.add("speculative:" + String.join("+", sources));
    }
    if (!exits.exits().isEmpty()) {
      for (String threshold : List.of("@0.9", "@0.7", "@0.5")) {
        words.add(EARLY + threshold);
        words.add(EARLY_EXIT_DRAFTS + threshold);
      }
    }
    return words;
  }

  /** Whether this way's text is that of full depth. */
  public static boolean isLossless(String word) {
    return !word.startsWith(EARLY) || word.endsWith("@1");
  }

  /**
   * Full depth and the ways of these words.
   *
   * @param folder of the exits; null where there are none
   */
  public static SequencedMap<String, DecodingVariant> of(
      List<String> words, LanguageModel model, Path folder, Exits exits, Device device) {
    SequencedMap<String, DecodingVariant> ways = new LinkedHashMap<>();
    ways.put(FULL, DecodingVariant.full(model, device));
    for (String word : words) {
      Optional<ExitThresholds> each = each(word);
      if (each.isPresent()) {
        require(word, exits);
        Optional<Path> file = file(word);
        file.ifPresent(f -> ThresholdsFile.check(f, ThresholdsFile.read(f), folder, model));
        ways.put(word, DecodingVariant.early(word, model, exits, each.get(), drafts(word), device));
      } else {
        ways.put(word, way(word, model, exits, device));
      }
    }
    return ways;
  }

  /** The word, with the thresholds where a file says them. */
  public static String described(String word) {
    return file(word).map(f -> word + ThresholdsFile.read(f).thresholds()).orElse(word);
  }

  /** The thresholds of a way that has one for each exit. */
  private static Optional<ExitThresholds> each(String word) {
    Optional<Path> file = file(word);
    if (file.isPresent()) {
      return file.map(f -> new ExitThresholds(ThresholdsFile.read(f).thresholds()));
    }
    Matcher m = EACH.matcher(alone(word));
    return m.matches()
        ? Optional.of(
            ExitThresholds.of(Arrays.asList(m.group(1).split("\\+", -1)), "--way '" + word + "'"))
        : Optional.empty();
  }

  /** The file of a calibrated way. */
  private static Optional<Path> file(String word) {
    Matcher m = CALIBRATED.matcher(alone(word));
    return m.matches() ? Optional.of(Path.of(m.group(1))) : Optional.empty();
  }

  private static void require(String word, Exits exits) {
    if (exits.exits().isEmpty()) {
      throw new UsageException("--way '" + word + "' needs --exits DIR with exits to leave at");
    }
  }

  private static DecodingVariant way(String word, LanguageModel model, Exits exits, Device device) {
    Matcher m = WORD.matcher(alone(word));
    if (!m.matches()) {
      throw new UsageException(
          "--way '"
              + word
              + "' is unknown; examples: early-exit:24@0.7, early-exit:20=0.7+24=0.5, speculative:prompt-lookup");
    }
    List<String> parts =
        m.group(2) == null ? List.of() : Arrays.asList(m.group(2).split("\\+", -1));
    if (m.group(1).equals("speculative")) {
      OptionalDouble threshold =
          m.group(3) == null ? OptionalDouble.empty() : OptionalDouble.of(number(word, m.group(3)));
      DraftSources.check(parts, !exits.backboneSha256().isEmpty());
      List<String> drafts = parts.isEmpty() ? DraftSources.defaults(exits) : parts;
      return DecodingVariant.speculative(word, model, exits, drafts, threshold, device);
    }
    if (m.group(3) == null) {
      throw new UsageException("--way '" + word + "' has no threshold; as in early-exit@0.7");
    }
    require(word, exits);
    double threshold = number(word, m.group(3));
    Exits asked =
        parts.isEmpty()
            ? exits
            : ActiveExits.at(exits, parts.stream().map(p -> (int) number(word, p)).toList());
    return DecodingVariant.early(
        word, model, asked, new MaxProbability(threshold), threshold, drafts(word), device);
  }

  private static double number(String word, String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new UsageException("--way '" + word + "': '" + text + "' is not a number", e);
    }
  }
}

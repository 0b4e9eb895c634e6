package dev.sortie.eetuning.calibrate;

import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.LanguageModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * Calibrated thresholds on disk:
 *
 * <pre>
 * {"format": "sortie-thresholds", "version": 1,
 *  "exits_sha256": "…", "dtype": "bf16", "arithmetic": "exact", "text_tokens": 512, "policy": "max-probability",
 *  "thresholds": {"8": 0.93, "16": 0.9},
 *  "promise": {"risk": "disagreement", "guarantee": "high-probability", "level": 0.05, "confidence": 0.95, …}}
 * </pre>
 */
public final class ThresholdsFile {
  private static final String FORMAT = "sortie-thresholds";
  private static final String POLICY = "max-probability";
  private static final String ARITHMETIC = "arithmetic";
  private static final String TEXT_TOKENS = "text_tokens";
  private static final int VERSION = 1;

  /** Levels and confidences are above 0 and below 1. */
  private static final double LEAST = 1e-9;

  /** Types to which a model's matrices are copied; any other is the file's own. */
  private static final Set<String> COPIED = Set.of("f32", "bf16");

  private ThresholdsFile() {}

  /** The file's contents as a map for JSON. */
  public static Map<String, Object> json(Calibrated c) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", FORMAT);
    root.put("version", VERSION);
    root.put("exits_sha256", c.exitsSha256());
    root.put("dtype", c.dtype());
    root.put(ARITHMETIC, c.arithmetic());
    root.put(TEXT_TOKENS, c.textTokens());
    root.put("policy", POLICY);
    Map<String, Object> thresholds = new LinkedHashMap<>();
    c.thresholds().forEach((depth, threshold) -> thresholds.put(depth.toString(), threshold));
    root.put("thresholds", thresholds);
    Calibrated.Promise p = c.promise();
    Map<String, Object> promise = new LinkedHashMap<>();
    promise.put("risk", p.risk().word());
    promise.put("guarantee", p.guarantee().word());
    promise.put("level", p.guarantee().level());
    if (p.guarantee() instanceof LearnThenTest ltt) {
      promise.put("confidence", ltt.confidence());
      promise.put("test", ltt.test().word());
    }
    promise.put("sequences", p.sequences());
    promise.put("tokens", p.tokens());
    promise.put("measured", p.measured());
    promise.put(scoreField(p.guarantee()), p.score());
    promise.put("early_share", p.earlyShare());
    promise.put("predicted_speedup", p.predictedSpeedup());
    promise.put("data", p.data());
    root.put("promise", promise);
    return root;
  }

  /** Writes it whole or not at all. */
  public static void write(Path file, Calibrated c) {
    Json.write(file, json(c));
  }

  /**
   * Refuses to write over what is no file of thresholds, such as the texts to calibrate on.
   *
   * @throws InputException if the file is there and is something else
   */
  public static void requireReplaceable(Path file) {
    if (!NamedInput.isRegular(file)) {
      return; // not there, or a device that keeps nothing
    }
    try {
      Json.read(file).getString("format", Set.of(FORMAT));
    } catch (InputException e) {
      throw new InputException(
          "--out " + file + " is there and holds no thresholds; name another file", e);
    }
  }

  /** Reads a file, or what {@link NamedInput} reads, for whatever exits it is. */
  public static Calibrated read(Path file) {
    JsonObject root = Json.readNamed(file);
    root.getString("format", Set.of(FORMAT));
    root.getInt("version", VERSION, VERSION);
    root.getString("policy", Set.of(POLICY));
    JsonObject byDepth = root.getObject("thresholds");
    SequencedMap<Integer, Double> thresholds = new TreeMap<>();
    for (String depth : byDepth.fields().keySet()) {
      if (!depth.matches("[1-9][0-9]{0,5}")) {
        throw byDepth.error(depth, "the depth of an exit as the name");
      }
      thresholds.put(Integer.valueOf(depth), byDepth.getDouble(depth, 0, 1));
    }
    if (thresholds.isEmpty()) {
      throw root.error("thresholds", "at least one");
    }
    JsonObject p = root.getObject("promise");
    Guarantee guarantee = guarantee(p);
    Calibrated.Promise promise =
        new Calibrated.Promise(
            Risk.of(p.getString("risk", words(Risk.values(), Risk::word))),
            guarantee,
            p.getInt("sequences", 1, Integer.MAX_VALUE),
            p.getLong("tokens", 1, Long.MAX_VALUE),
            p.getDouble("measured", 0, 1),
            p.getDouble(scoreField(guarantee), 0, 1),
            p.getDouble("early_share", 0, 1),
            p.getDouble("predicted_speedup", 0, 1e6),
            p.getStrings("data"));
    return new Calibrated(
        root.getString("exits_sha256"),
        root.getString("dtype"),
        // earlier versions had neither this nor the next
        root.optional(
                ARITHMETIC, f -> root.getString(f, words(Arithmetic.values(), Arithmetic::word)))
            .orElse(Arithmetic.EXACT.word()),
        root.optional(TEXT_TOKENS, f -> root.getInt(f, 0, Integer.MAX_VALUE)).orElse(0),
        thresholds,
        promise);
  }

  private static String scoreField(Guarantee guarantee) {
    return guarantee.scoreName().replace('-', '_');
  }

  /** Earlier versions had one guarantee and did not name it. */
  private static Guarantee guarantee(JsonObject p) {
    Set<String> words = Set.of(LearnThenTest.WORD, ConformalRiskControl.WORD);
    String word = p.optional("guarantee", f -> p.getString(f, words)).orElse(LearnThenTest.WORD);
    double level = p.getDouble("level", LEAST, 1 - LEAST);
    if (word.equals(ConformalRiskControl.WORD)) {
      return new ConformalRiskControl(level);
    }
    return new LearnThenTest(
        level,
        p.getDouble("confidence", LEAST, 1 - LEAST),
        MeanTest.of(p.getString("test", words(MeanTest.values(), MeanTest::word))));
  }

  private static <T> Set<String> words(T[] values, java.util.function.Function<T, String> word) {
    return java.util.Arrays.stream(values)
        .map(word)
        .collect(java.util.stream.Collectors.toUnmodifiableSet());
  }

  /** The type in which a model's layers hold their matrices, as the file names it. */
  public static String dtype(LanguageModel m) {
    return m.matrixType().name().toLowerCase(Locale.ROOT);
  }

  /**
   * Fails unless thresholds were calibrated for these exits, with heads that cover as many tokens,
   * and for this type of matrices and arithmetic.
   *
   * @param file they come from, for the message
   * @param exits folder of the exits
   */
  public static void check(Path file, Calibrated c, Path exits, LanguageModel m) {
    String sha = Sha256.of(exits.resolve(ExitsFile.TENSORS));
    require(file, "exits_sha256", c.exitsSha256(), sha, "that of " + exits, "");
    int tokens = TextTokens.most(ExitsFile.outlines(exits, m.config().decoder()));
    String whose = "what the exits of " + exits + " cover of a text";
    require(file, TEXT_TOKENS, "" + c.textTokens(), "" + tokens, whose, "");
    boolean copied = COPIED.contains(c.dtype());
    require(
        file,
        "dtype",
        c.dtype(),
        dtype(m),
        "that of the model in memory",
        "take --dtype " + (copied ? c.dtype() : "file") + ", or ");
    boolean exact = c.arithmetic().equals(Arithmetic.EXACT.word());
    require(
        file,
        ARITHMETIC,
        c.arithmetic(),
        m.arithmetic().word(),
        "that of the model in memory",
        (exact ? "take --exact, or " : "leave out --exact, or "));
  }

  private static void require(
      Path file, String field, String found, String given, String whose, String instead) {
    if (!found.equals(given)) {
      throw new InputException(
          "%s: %s is %s, but %s is %s: the promise holds for what was calibrated; %srun calibrate again"
              .formatted(NamedInput.name(file), field, found, whose, given, instead));
    }
  }
}

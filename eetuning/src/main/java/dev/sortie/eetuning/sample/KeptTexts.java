package dev.sortie.eetuning.sample;

import dev.sortie.nn.json.Json;
import dev.sortie.tensor.Random;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The texts that filters let pass, in order, and how many each filter refused. Texts are shared out
 * to training, validation and test by their prompt, so that no prompt is in two of them.
 */
final class KeptTexts {
  /** The parts, in the order of their shares. Each is a file of texts and one of token ids. */
  private static final List<String> PARTS = List.of("train", "validation", "test");

  private static final String TEXTS = ".jsonl";
  private static final String IDS = ".bin";

  /** Names of the files. */
  static final List<String> FILES =
      PARTS.stream().flatMap(part -> Stream.of(part + TEXTS, part + IDS)).toList();

  private final SampleFilters filters;
  private final SplitShares shares;
  private final long seed;
  private final NearDuplicates duplicates;
  private final Map<String, Integer> refused = new LinkedHashMap<>();
  private final Map<String, Part> parts = new LinkedHashMap<>();
  private int sampled;
  private long sampledTokens;

  private static final class Part {
    private final List<String> texts = new ArrayList<>();
    private final List<List<Integer>> ids = new ArrayList<>();
    private long tokens;
  }

  /** None yet; {@code seed} decides which prompts are held out. */
  KeptTexts(SampleFilters filters, SplitShares shares, long seed) {
    this.filters = filters;
    this.shares = shares;
    this.seed = seed;
    this.duplicates = new NearDuplicates(filters.nearDuplicate().orElse(Double.POSITIVE_INFINITY));
    filters.rules().forEach(r -> refused.put(r.name(), 0));
    filters.nearDuplicate().ifPresent(_ -> refused.put(SampleFilters.NEAR_DUPLICATE, 0));
    PARTS.forEach(name -> parts.put(name, new Part()));
  }

  /** Looks at the next text. */
  void add(SampledText sample) {
    sampled++;
    sampledTokens += sample.tokens();
    SampledText text = filters.plain(sample);
    String refusal = filters.refusal(text).orElse("");
    if (refusal.isEmpty() && filters.nearDuplicate().isPresent() && !duplicates.add(text.text())) {
      refusal = SampleFilters.NEAR_DUPLICATE;
    }
    if (!refusal.isEmpty()) {
      refused.merge(refusal, 1, Integer::sum);
      return;
    }
    Part part = parts.get(PARTS.get(shares.part(draw(sample))));
    part.texts.add(text.text());
    part.ids.add(sample.ids());
    part.tokens += sample.tokens();
  }

  /** A number of the prompt's words alone, since two numbers may have drawn the same ones. */
  private double draw(SampledText text) {
    return new Random(seed, 0)
        .stream("split").stream(text.question()).stream(text.opening()).uniform(0);
  }

  /** Tokens of the texts that were kept. */
  long tokens() {
    return parts.values().stream().mapToLong(p -> p.tokens).sum();
  }

  /** Texts that were kept. */
  int texts() {
    return parts.values().stream().mapToInt(p -> p.texts.size()).sum();
  }

  /** Texts that were looked at. */
  int sampled() {
    return sampled;
  }

  /** Counts for the manifest. */
  Map<String, Object> counts() {
    return Json.object(
        "sampled", Json.object("texts", sampled, "tokens", sampledTokens),
        "kept", Json.object("texts", texts(), "tokens", tokens()),
        "refused", new LinkedHashMap<>(refused));
  }

  /**
   * Writes the files: texts as JSON objects with a {@code text}, one per line, and their token ids
   * with those of their prompts.
   *
   * @param vocab of the model
   */
  Map<String, Object> write(SampleFolder folder, int vocab) {
    Map<String, Object> files = new LinkedHashMap<>();
    parts.forEach(
        (name, part) -> {
          StringBuilder all = new StringBuilder();
          part.texts.forEach(t -> all.append(Json.compact(Map.of("text", t))).append('\n'));
          String sha256 = folder.write(name + TEXTS, all.toString());
          files.put(
              name + TEXTS,
              Json.object("texts", part.texts.size(), "tokens", part.tokens, "sha256", sha256));
          int ids = part.ids.stream().mapToInt(List::size).sum();
          String idsSha256 = folder.write(name + IDS, part.ids, vocab);
          files.put(name + IDS, Json.object("ids", ids, "sha256", idsSha256));
        });
    return files;
  }
}

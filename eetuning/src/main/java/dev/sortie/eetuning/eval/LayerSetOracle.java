package dev.sortie.eetuning.eval;

import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The fewest layers that each token of a text needs if an oracle may leave out any of them: the
 * cheapest of all sets of layers before the final head, and of all exits, that chooses full depth's
 * token. After the oracles of Duo-LLM (Alizadeh et al. 2024, arXiv 2410.10846; the second of its
 * three stages), which choose for each token and layer between a small module, a big one and none;
 * here a layer is run or skipped, for models are not trained for it. {@link LayerSetSearch} has the
 * definition of skipping.
 *
 * <p>An exit's layers are such a set with another head. So the oracle never needs more than {@link
 * DepthOracle}'s, which knows exits alone.
 *
 * @param model backbone
 * @param device where to compute
 * @param width sets that the search keeps for each depth and number of layers
 */
public record LayerSetOracle(LanguageModel model, Device device, int width) {

  /**
   * Some of a text's tokens.
   *
   * @param tokens their number
   * @param needed share of them by the number of layers that they need, from 0 to all
   * @param layers mean of these numbers
   */
  public record Part(long tokens, SequencedMap<Integer, Double> needed, double layers) {}

  /**
   * What was found.
   *
   * @param width of the search
   * @param exact whether all sets of fewer layers were tried; otherwise tokens may need fewer
   * @param all all tokens
   * @param kinds those of each kind that there are, by the token that full depth chooses
   */
  public record Result(int width, boolean exact, Part all, SequencedMap<TokenKind, Part> kinds) {}

  /**
   * Searches.
   *
   * @param readings of the same exits, at least one
   * @param progress is told the tokens searched after each of the readings
   */
  public Result search(List<TokenReadings> readings, TextScorer.Progress progress) {
    int layers = model.config().decoder().layers();
    int capacity = readings.stream().mapToInt(r -> r.text().length).max().orElseThrow();
    int tokens = readings.stream().mapToInt(TokenReadings::tokens).sum();
    DepthOracle exits = new DepthOracle(layers, model.tokenizer());
    long[] all = new long[layers + 1];
    SequencedMap<TokenKind, long[]> kinds = new TreeMap<>();
    try (LayerSetSearch search = new LayerSetSearch(model, device, capacity, width)) {
      int done = 0;
      for (TokenReadings r : readings) {
        int[] found = search.fewest(r, exits.needed(r));
        for (int i = 0; i < found.length; i++) {
          all[found[i]]++;
          kinds.computeIfAbsent(exits.kind(r, i), _ -> new long[layers + 1])[found[i]]++;
        }
        done += found.length;
        progress.read(done, tokens);
      }
      SequencedMap<TokenKind, Part> parts = new TreeMap<>();
      kinds.forEach((kind, counts) -> parts.put(kind, part(counts)));
      return new Result(width, search.isExact(), part(all), parts);
    }
  }

  private static Part part(long[] counts) {
    long tokens = Arrays.stream(counts).sum();
    SequencedMap<Integer, Double> shares = new LinkedHashMap<>();
    double sum = 0;
    for (int n = 0; n < counts.length; n++) {
      shares.put(n, (double) counts[n] / tokens);
      sum += (double) n * counts[n];
    }
    return new Part(tokens, Collections.unmodifiableSequencedMap(shares), sum / tokens);
  }
}

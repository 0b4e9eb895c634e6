package dev.sortie.eetuning.cost;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What the parts of decoding take on one machine, in seconds.
 *
 * @param layers backbone layers
 * @param position tokens that were in the KV cache when {@code layer} was measured
 * @param layer one backbone layer over several tokens of one sequence
 * @param attention what one layer takes more for each further position in the cache
 * @param head final norm, head and confidence of several tokens
 * @param token what each pass takes in addition: embedding, reading the logits out, the greedy
 *     choice
 * @param exits exits, shallow first; the last may stand after all layers, a draft head asked before
 *     the whole head
 * @param lookahead the lookahead exit, if there is one
 */
public record CostTable(
    int layers,
    int position,
    RowTimes layer,
    RowTimes attention,
    RowTimes head,
    double token,
    List<ExitCost> exits,
    Optional<LookaheadCost> lookahead) {

  /** Without a lookahead exit. */
  public CostTable(
      int layers,
      int position,
      RowTimes layer,
      RowTimes attention,
      RowTimes head,
      double token,
      List<ExitCost> exits) {
    this(layers, position, layer, attention, head, token, exits, Optional.empty());
  }

  public CostTable {
    if (layers < 1) {
      throw new IllegalArgumentException("layers are " + layers + ", expected at least 1");
    }
    if (!(token >= 0 && Double.isFinite(token))) {
      throw new IllegalArgumentException("a token takes " + token + " seconds, expected 0 or more");
    }
    exits = exits.stream().sorted(Comparator.comparingInt(ExitCost::depth)).toList();
    for (ExitCost e : exits) {
      if (e.depth() > layers) {
        throw new IllegalArgumentException(
            "an exit after layer " + e.depth() + " of " + layers + " layers");
      }
    }
  }

  /**
   * Seconds of {@code count} layers over {@code rows} tokens at positions {@code first ..}, at
   * least half of what was measured at {@link #position}: attention is extrapolated towards the
   * first token.
   */
  public double layers(int count, int rows, int first) {
    double one = layer.at(rows) + attention.at(rows) * (first - position);
    return count * Math.max(one, 0.5 * layer.at(rows));
  }

  /** Seconds of a pass through all layers that wants the logits of all its tokens. */
  public double pass(int rows, int first) {
    return token + layers(layers, rows, first) + head.at(rows);
  }

  /** Seconds of one token at full depth. */
  public double fullDepth(int first) {
    return pass(1, first);
  }

  /**
   * Seconds of a token that leaves at {@code exit}, alone among {@code active} exits before it:
   * what its deeper layers cost later is not in it.
   */
  public double until(ExitCost exit, List<Integer> active, int first) {
    double checks =
        exits.stream()
            .filter(e -> e.depth() <= exit.depth() && active.contains(e.depth()))
            .mapToDouble(ExitCost::each)
            .sum();
    return token + layers(exit.depth(), 1, first) + checks;
  }

  /** The cost of the exit after layer {@code depth}. */
  public ExitCost exit(int depth) {
    return exits.stream()
        .filter(e -> e.depth() == depth)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no exit was measured after layer " + depth + " among " + depths()));
  }

  /** Depths of the exits, ascending. */
  public List<Integer> depths() {
    return exits.stream().map(ExitCost::depth).toList();
  }
}

package dev.sortie.eetuning.cost;

/**
 * What drafts of the lookahead exit cost.
 *
 * @param catchUp its layer over several true hidden states, after a pass through the model
 * @param check its head for one state, with the confidence
 * @param again layer and head of each further drafted token, whose weights were just read
 */
public record LookaheadCost(RowTimes catchUp, double check, double again) {
  public LookaheadCost {
    if (!(check >= 0 && Double.isFinite(check) && again >= 0 && Double.isFinite(again))) {
      throw new IllegalArgumentException(
          "a check takes " + check + " seconds, a further token " + again + "; expected 0 or more");
    }
  }
}

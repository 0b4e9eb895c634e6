package dev.sortie.parallel.shard;

import dev.sortie.nn.InputException;

/**
 * One rank's attention heads. Query heads stay with the key and value head that they read: a rank
 * has whole groups of them, or some of one group, whose key and value head then stands on each of
 * its ranks. So a rank's attention is grouped-query attention as before, with fewer heads.
 *
 * <p>Where the groups do not divide by the ranks some have one group more. Cutting a group in two
 * would even that out (9 heads in 3 groups on 2 ranks: 5 and 4 in place of 6 and 3), but the pieces
 * of one rank are then no longer of one size, and the key and value head between them is computed
 * twice; the projections and attention of SmolLM2-135M are a quarter of a layer.
 *
 * @param queries this rank's query heads
 * @param keys its key and value heads
 * @param sharers the ranks that have just these key and value heads, this one among them
 */
public record HeadShard(ShardRange queries, ShardRange keys, ShardRange sharers) {

  /**
   * The heads of rank {@code index} of {@code ranks}.
   *
   * @throws InputException if there are not enough heads
   */
  public static HeadShard of(int heads, int kvHeads, int ranks, int index) {
    int group = heads / kvHeads;
    if (ranks <= kvHeads) {
      ShardRange keys = ShardRange.of(kvHeads, ranks, index);
      return new HeadShard(
          new ShardRange(keys.from() * group, keys.count() * group, keys.widest() * group),
          keys,
          new ShardRange(index, 1, 1));
    }
    for (int key = 0; key < kvHeads; key++) {
      ShardRange sharers = ShardRange.of(ranks, kvHeads, key);
      if (sharers.holds(index)) {
        if (sharers.widest() > group) {
          break;
        }
        ShardRange some =
            ShardRange.of(group, (int) sharers.count(), (int) (index - sharers.from()));
        return new HeadShard(
            new ShardRange((long) key * group + some.from(), some.count(), some.widest()),
            new ShardRange(key, 1, 1),
            sharers);
      }
    }
    throw new InputException(
        "num_attention_heads %d in %d groups cannot be shared out to %d tensor-parallel ranks; take fewer"
            .formatted(heads, kvHeads, ranks));
  }
}

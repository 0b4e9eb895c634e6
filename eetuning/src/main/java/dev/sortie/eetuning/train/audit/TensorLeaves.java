package dev.sortie.eetuning.train.audit;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.rank.GatheredHashes;
import dev.sortie.eetuning.train.rank.GatheredNames;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.file.Sha256;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The leaves of tensors that ranks hold together, whatever stage or replica has which. A tensor
 * that ranks share has a part for each of them, in the order of the ranks.
 */
final class TensorLeaves {
  private static final String NONE = "0".repeat(64);

  private final ProcessGroups groups;
  private final List<String> names;

  /**
   * A collective call.
   *
   * @param mine names of the tensors of which this rank has something
   */
  TensorLeaves(ProcessGroups groups, Collection<String> mine) {
    this.groups = groups;
    this.names = GatheredNames.of(groups, mine).stream().sorted().toList();
  }

  /** Names of all tensors, sorted. */
  List<String> names() {
    return names;
  }

  /** A leaf for each name. A collective call. */
  List<String> of(Map<String, ShardedTensor> parts) {
    int ranks = groups.mesh().world();
    GatheredHashes hashes = new GatheredHashes(names.size() * ranks);
    for (int i = 0; i < names.size(); i++) {
      ShardedTensor mine = parts.get(names.get(i));
      if (mine != null && mine.portion().first()) {
        hashes.put(i * ranks + groups.rank().value(), Sha256.of(mine.tensor().span()));
      }
    }
    List<String> all = hashes.merged(groups);
    List<String> leaves = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      List<String> found =
          all.subList(i * ranks, (i + 1) * ranks).stream().filter(h -> !h.equals(NONE)).toList();
      leaves.add(MerkleTree.leaf(names.get(i), found));
    }
    return leaves;
  }
}

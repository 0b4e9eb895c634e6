package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.json.JsonObject;
import java.util.List;
import java.util.Map;

/** The fields of a line that say what the trained tensors are: a root and its leaves. */
final class Leaves {
  static final String ROOT = "root";
  static final String LEAVES = "leaves";
  private static final String HASH = "[0-9a-f]{64}";

  private Leaves() {}

  static void put(Map<String, Object> line, List<String> leaves) {
    line.put(ROOT, MerkleTree.root(leaves));
    line.put(LEAVES, leaves);
  }

  /**
   * The leaves of a line.
   *
   * @param tensors how many there are, at least one
   * @throws dev.sortie.nn.InputException if they are not as many hashes, or the root is another
   */
  static List<String> read(JsonObject line, int tensors) {
    List<String> leaves = line.getStrings(LEAVES);
    if (leaves.size() != tensors || !leaves.stream().allMatch(leaf -> leaf.matches(HASH))) {
      throw line.error(LEAVES, "%d hashes, one for each tensor".formatted(tensors));
    }
    String root = MerkleTree.root(leaves);
    if (!line.getString(ROOT).equals(root)) {
      throw line.error(ROOT, "%s, the root over the leaves of this line".formatted(root));
    }
    return leaves;
  }
}

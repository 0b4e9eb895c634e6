package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.file.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * A binary tree of SHA-256 hashes, as in RFC 6962: leaves and inner nodes begin with different
 * bytes, so that no node can be taken for a leaf. Of an odd number of nodes the last one moves up a
 * level as it is.
 */
final class MerkleTree {
  private static final byte[] LEAF = {0};
  private static final byte[] NODE = {1};

  private MerkleTree() {}

  /**
   * The leaf of a tensor: the hash of byte 0, its name in UTF-8, byte 0, and the hash of each of
   * its parts.
   *
   * @param parts hashes of the elements' bytes, in hex: of the whole tensor, or one for each rank
   *     that has a share of it
   */
  static String leaf(String name, List<String> parts) {
    Sha256 sha = new Sha256().update(LEAF).update(name.getBytes(StandardCharsets.UTF_8));
    sha.update(LEAF);
    parts.forEach(part -> sha.update(bytes(part)));
    return sha.hex();
  }

  /**
   * The root over leaves in hex. An inner node is the hash of byte 1 and its two children.
   *
   * @param leaves at least one
   */
  static String root(List<String> leaves) {
    List<String> level = leaves;
    while (level.size() > 1) {
      List<String> above = new ArrayList<>();
      for (int i = 0; i + 1 < level.size(); i += 2) {
        Sha256 sha = new Sha256().update(NODE).update(bytes(level.get(i)));
        above.add(sha.update(bytes(level.get(i + 1))).hex());
      }
      if (level.size() % 2 == 1) {
        above.add(level.getLast());
      }
      level = above;
    }
    return level.getFirst();
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }
}

package dev.sortie.eetuning.train.rank;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 hashes of which each rank has some. */
public final class GatheredHashes {
  private static final int LONGS = 4;

  private final long[] words;

  public GatheredHashes(int hashes) {
    this.words = new long[hashes * LONGS];
  }

  public void put(int i, String hex) {
    ByteBuffer.wrap(HexFormat.of().parseHex(hex)).asLongBuffer().get(words, i * LONGS, LONGS);
  }

  /** All of them, in hex. A collective call, which ends after all ranks have begun it. */
  public List<String> merged(ProcessGroups groups) {
    long[] all = groups.sum(words);
    List<String> hashes = new ArrayList<>();
    for (int i = 0; i < all.length; i += LONGS) {
      ByteBuffer bytes = ByteBuffer.allocate(LONGS * Long.BYTES);
      bytes.asLongBuffer().put(all, i, LONGS);
      hashes.add(HexFormat.of().formatHex(bytes.array()));
    }
    return hashes;
  }
}

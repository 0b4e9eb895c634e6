package dev.sortie.nn.text.budget;

import it.unimi.dsi.fastutil.Hash;
import it.unimi.dsi.fastutil.ints.IntHash;
import it.unimi.dsi.fastutil.longs.LongHash;
import java.util.Objects;
import java.util.SplittableRandom;

/**
 * Hashes with a number that is drawn for each table. The hash codes of Java's strings and the
 * mixing of open tables are known, so that a file could hold keys that all fall on one place, and
 * each look-up would search them all. The order of a table's keys differs from run to run.
 */
public final class SeededHash {
  private static final long FACTOR = 0x9E3779B97F4A7C15L;

  private SeededHash() {}

  private static long seed() {
    return new SplittableRandom().nextLong();
  }

  private static int mixed(long value) {
    long product = value * FACTOR;
    return (int) (product ^ product >>> 32);
  }

  /** For strings. */
  public static Hash.Strategy<String> strings() {
    return new Strings(seed());
  }

  /** For integers of 64 bits. */
  public static LongHash.Strategy longs() {
    return new Longs(seed());
  }

  /** For integers of 32 bits. */
  public static IntHash.Strategy ints() {
    return new Ints(seed());
  }

  private record Strings(long seed) implements Hash.Strategy<String> {
    @Override
    public int hashCode(String key) {
      long hash = seed;
      for (int i = 0; i < key.length(); i++) {
        hash = (hash ^ key.charAt(i)) * FACTOR;
        hash ^= hash >>> 29;
      }
      return mixed(hash);
    }

    @Override
    public boolean equals(String a, String b) {
      return Objects.equals(a, b);
    }
  }

  private record Longs(long seed) implements LongHash.Strategy {
    @Override
    public int hashCode(long key) {
      return mixed(key ^ seed);
    }

    @Override
    public boolean equals(long a, long b) {
      return a == b;
    }
  }

  private record Ints(long seed) implements IntHash.Strategy {
    @Override
    public int hashCode(int key) {
      return mixed(key ^ seed);
    }

    @Override
    public boolean equals(int a, int b) {
      return a == b;
    }
  }
}

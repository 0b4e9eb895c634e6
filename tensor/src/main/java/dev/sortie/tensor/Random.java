package dev.sortie.tensor;

import dev.sortie.tensor.kernel.Philox;

/**
 * Counter-based random numbers, by {@link Philox}. A number depends only on (seed, stream, index),
 * so an element is the same whatever order, thread or rank draws it.
 *
 * @param seed the run's seed
 * @param stream which sequence: a tensor, a step, an epoch; see {@link #stream(String)}
 */
public record Random(long seed, long stream) {
  /** A stream of this seed by name: a 64-bit FNV-1a hash of its UTF-16 units. */
  public Random stream(String name) {
    long h = 0xcbf29ce484222325L ^ stream;
    for (int i = 0; i < name.length(); i++) {
      h = (h ^ name.charAt(i)) * 0x100000001b3L;
    }
    return new Random(seed, h);
  }

  /** A sub-stream by number. */
  public Random stream(long number) {
    return new Random(seed, mix(stream + 0x9E3779B97F4A7C15L * (number + 1)));
  }

  /** 64 random bits of {@code index}. */
  public long bits(long index) {
    return Philox.bits(seed, stream, index);
  }

  /** Uniform in [0, 1), 53 bits. */
  public double uniform(long index) {
    return (bits(index) >>> 11) * 0x1p-53;
  }

  /**
   * Uniform integer in [0, bound), by the high half of a product; the bias is below 2^-32 for
   * bounds below 2^31.
   */
  public int below(long index, int bound) {
    return (int) ((((bits(index) >>> 32) & 0xffffffffL) * bound) >>> 32);
  }

  /**
   * Standard normal, by Box and Muller from the two halves of the bits. {@link StrictMath}: the
   * same everywhere.
   */
  public double normal(long index) {
    long b = bits(index);
    double u = ((b >>> 32) + 0.5) * 0x1p-32;
    double v = (b & 0xffffffffL) * 0x1p-32;
    return StrictMath.sqrt(-2 * StrictMath.log(u)) * StrictMath.cos(2 * Math.PI * v);
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}

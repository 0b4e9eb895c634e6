package dev.sortie.tensor;

/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). A number depends only on (seed, stream, index), so an element is the same
 * whatever order, thread or rank draws it.
 *
 * @param seed the run's seed
 * @param stream which sequence: a tensor, a step, an epoch; see {@link #stream(String)}
 */
public record Random(long seed, long stream) {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;

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
    int c0 = (int) index;
    int c1 = (int) (index >>> 32);
    int c2 = (int) stream;
    int c3 = (int) (stream >>> 32);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < 10; round++) {
      long p0 = (M0 & 0xffffffffL) * (c0 & 0xffffffffL);
      long p1 = (M1 & 0xffffffffL) * (c2 & 0xffffffffL);
      int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c1 = (int) p1;
      c3 = (int) p0;
      c0 = n0;
      c2 = n2;
      k0 += W0;
      k1 += W1;
    }
    return ((long) c1 << 32) | (c0 & 0xffffffffL);
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

package dev.sortie.tensor.kernel;

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): random
 * bits as a function of a counter and a key, so that nothing has to be drawn before. The counter is
 * a number of 64 bits and a stream of 64, the key is the seed.
 */
public final class Philox {
  /** Factors of the first and of the third word of the counter. */
  public static final int M0 = 0xD2511F53;

  public static final int M1 = 0xCD9E8D57;

  /** What a round adds to the first and to the second word of the key. */
  public static final int W0 = 0x9E3779B9;

  public static final int W1 = 0xBB67AE85;

  public static final int ROUNDS = 10;

  private Philox() {}

  /** The first 64 of the 128 bits of a number of a stream. */
  public static long bits(long seed, long stream, long number) {
    int c0 = (int) number;
    int c1 = (int) (number >>> 32);
    int c2 = (int) stream;
    int c3 = (int) (stream >>> 32);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
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
}

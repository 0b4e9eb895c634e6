package dev.sortie.tensor.kernel.tile;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.Quanta;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Puts the blocks of a quantised weight into the order of {@link TileType}. A tile is put together
 * in an array and then copied to where it belongs. Models are packed while the JVM starts, and
 * until they are compiled, stores of two bytes into a segment take far longer than into an array.
 */
public final class TilePacking {
  /** The sign bit of an F16. */
  private static final int SIGN = 0x8000;

  /** The exponent of an F16 that is not finite. */
  private static final int EXPONENT = 0x7c00;

  /** The low half of each of eight bytes. */
  private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;

  /** Every other byte, from the lowest on. */
  private static final long EVEN = 0x00ff00ff00ff00ffL;

  private static final long LOW = 0xffffffffL;

  /** The lowest four bits of each of four shorts. */
  private static final long LOW_OF_SHORTS = 0x000f000f000f000fL;

  private final MemorySegment from;
  private final MemorySegment to;
  private final TiledWeight w;
  private final TileType type;
  private final int lanes;

  /**
   * Of rows {@code from}, to tiles {@code w}.
   *
   * @param from {@code [n, k]} in the type of the tiles
   */
  public TilePacking(Span from, TiledWeight w) {
    this.from = from.readOnly();
    this.to = w.values().segment();
    this.w = w;
    this.type = w.type();
    this.lanes = w.lanes();
  }

  /**
   * Packs tiles {@code [first, last)}. Different tiles may be packed by different threads.
   *
   * @throws IllegalArgumentException if a scale is not finite
   */
  public void run(long first, long last) {
    Tile tile = new Tile();
    for (long i = first; i < last; i++) {
      tile.pack(i);
    }
  }

  /** A tile as it is put together. */
  private final class Tile {
    private final Quanta quanta = type.quanta();
    private final short[] words = new short[(int) (w.wordBytes() / Short.BYTES)];
    private final short[] scales = new short[(int) ((w.tileBytes() - w.wordBytes()) / Short.BYTES)];

    void pack(long tile) {
      int rows = (int) Math.min(lanes, w.n() - tile * lanes);
      if (rows < lanes) {
        Arrays.fill(words, (short) 0);
        Arrays.fill(scales, (short) 0);
      }
      long rowBytes = type.dtype().bytes(w.k());
      for (int row = 0; row < rows; row++) {
        row((tile * lanes + row) * rowBytes, rowBytes, row);
      }
      long at = tile * w.tileBytes();
      MemorySegment.copy(words, 0, to, JAVA_SHORT_UNALIGNED, at, words.length);
      MemorySegment.copy(scales, 0, to, JAVA_SHORT_UNALIGNED, at + w.wordBytes(), scales.length);
    }

    private void row(long src, long bytes, int row) {
      int word = (int) w.place(row) / Short.BYTES;
      int scale = TiledWeight.lane(row, lanes);
      int blockBytes = type.dtype().blockBytes();
      for (long b = 0; b < bytes; b += blockBytes) {
        quanta.read(from, src + b);
        levels(word);
        scales(scale);
        word += type.groups() * type.form().words() * lanes;
        scale += type.scaleValues() * lanes;
      }
    }

    /** The scales of a block. */
    private void scales(int first) {
      finite(quanta.d);
      finite(quanta.dmin);
      int at = first;
      scales[at] = quanta.d;
      at += lanes;
      if (type.minima()) {
        scales[at] = (short) (quanta.dmin ^ SIGN);
        at += lanes;
      }
      if (type.scaled()) {
        for (int g = 0; g < type.groups(); g++) {
          int value = quanta.scales[g];
          scales[at] = (short) (type.minima() ? value & 0xff | quanta.mins[g] << 8 : value);
          at += lanes;
        }
      }
    }

    /** The words of a block. */
    private void levels(int first) {
      switch (type.form()) {
        case NIBBLES -> nibbles(first);
        case SIXES -> sixes(first);
        case THREES -> threes(first);
        case FIVES -> fives(first);
        case BYTES -> bytes(first);
      }
    }

    private void nibbles(int first) {
      long[] l = quanta.levels;
      int at = first;
      for (int i = 0; i < l.length; i += 4) {
        words(pairs(l[i], l[i + 1]), pairs(l[i + 2], l[i + 3]), at);
        at += 8 * lanes;
      }
    }

    /** See {@link TileForm#SIXES}. */
    private void sixes(int first) {
      long[] l = quanta.levels;
      int at = first;
      for (int i = 0; i < l.length; i += 2) {
        long last = l[i + 1];
        long four = shorts(l[i]) | shorts(l[i] >>> 32) << 6 | (shorts(last) & LOW_OF_SHORTS) << 12;
        words[at] = (short) four;
        words[at + lanes] = (short) (four >>> 16);
        words[at + 2 * lanes] = (short) (four >>> 32);
        words[at + 3 * lanes] = (short) (four >>> 48);
        words[at + 4 * lanes] = fourParts(last);
        words[at + 5 * lanes] = fourParts(last >>> 8);
        at += 6 * lanes;
      }
    }

    /** Two groups at a time, which have four words each. */
    private void threes(int first) {
      long[] l = quanta.levels;
      int at = first;
      for (int i = 0; i < l.length; i += 4) {
        long low = halves(l[i]) & LOW | halves(l[i + 2]) << 32;
        long high = halves(l[i + 1]) & LOW | halves(l[i + 3]) << 32;
        words(low, high, at);
        at += 8 * lanes;
      }
    }

    /** Pairs of the low bytes with the high ones. */
    private static long halves(long levels) {
      return pairs(levels, levels >>> 32);
    }

    /** Levels i, i + 11 and i + 22 of a group, which the last of eleven words has not. */
    private void fives(int first) {
      long[] l = quanta.levels;
      int at = first;
      for (int i = 0; i < l.length; i += 4) {
        long b = l[i + 1] >>> 24 | l[i + 2] << 40;
        long c = l[i + 2] >>> 48 | l[i + 3] << 16;
        every(triples(l[i], b, c), at);
        every(triples(l[i] >>> 8, b >>> 8, c >>> 8), at + lanes);
        b = l[i + 2] >>> 24 | l[i + 3] << 40;
        c = l[i + 3] >>> 48;
        long even = triples(l[i + 1], b, c);
        words[at + 8 * lanes] = (short) even;
        words[at + 9 * lanes] = (short) triples(l[i + 1] >>> 8, b >>> 8, c >>> 8);
        words[at + 10 * lanes] = (short) (even >>> 16);
        at += 11 * lanes;
      }
    }

    /** Levels of a byte, four of a row next to each other. */
    private void bytes(int first) {
      int at = first;
      for (long eight : quanta.levels) {
        words[at] = (short) eight;
        words[at + 1] = (short) (eight >>> 16);
        words[at + 2 * lanes] = (short) (eight >>> 32);
        words[at + 2 * lanes + 1] = (short) (eight >>> 48);
        at += 4 * lanes;
      }
    }

    /** Eight words, each of a byte of {@code low} and one of {@code high}. */
    private void words(long low, long high, int at) {
      every(low & EVEN | (high & EVEN) << 8, at);
      every(low >>> 8 & EVEN | high & EVEN << 8, at + lanes);
    }

    /** Four words of a lane, to every other place. */
    private void every(long four, int at) {
      words[at] = (short) four;
      words[at + 2 * lanes] = (short) (four >>> 16);
      words[at + 4 * lanes] = (short) (four >>> 32);
      words[at + 6 * lanes] = (short) (four >>> 48);
    }
  }

  /**
   * A word of four parts: of eight levels, a byte each, the fifth and the seventh, and the two high
   * bits of the first and the third.
   */
  private static short fourParts(long levels) {
    long whole = levels >>> 32;
    long high = levels >>> 4;
    return (short) (whole & 63 | (whole >>> 10 & 0xfc0) | (high & 3) << 12 | (high >>> 2 & 0xc000));
  }

  /** The four lowest bytes, each in 16 bits. */
  private static long shorts(long bytes) {
    long low = bytes & LOW;
    long two = (low | low << 16) & 0x0000ffff0000ffffL;
    return (two | two << 8) & EVEN;
  }

  /** Eight bytes, each of the low half of one of {@code a} and that of one of {@code b}. */
  private static long pairs(long a, long b) {
    return a & NIBBLES | (b & NIBBLES) << 4;
  }

  /** Four words of three levels each: of every other byte. */
  private static long triples(long a, long b, long c) {
    return a & EVEN | (b & EVEN) << 5 | (c & EVEN) << 10;
  }

  private static void finite(short half) {
    if ((half & EXPONENT) == EXPONENT) {
      throw new IllegalArgumentException(
          "a block of the weight has the scale " + Float.float16ToFloat(half));
    }
  }
}

package dev.sortie.tensor.kernel.tile;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.Quanta;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;

/** Puts the blocks of a quantised weight into the order of {@link TileType}. */
public final class TilePacking {
  /** The sign bit of an F16. */
  private static final int SIGN = 0x8000;

  /** The exponent of an F16 that is not finite. */
  private static final int EXPONENT = 0x7c00;

  /** The low half of each of eight bytes. */
  private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;

  private final MemorySegment from;
  private final MemorySegment to;
  private final TiledWeight w;
  private final TileType type;

  /** Bytes from a value of a lane to the next one. */
  private final long step;

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
    this.step = 2L * w.lanes();
  }

  /**
   * Packs tiles {@code [first, last)}. Different tiles may be packed by different threads.
   *
   * @throws IllegalArgumentException if a scale is not finite
   */
  public void run(long first, long last) {
    Quanta quanta = type.quanta();
    int lanes = w.lanes();
    long rowBytes = type.dtype().bytes(w.k());
    for (long tile = first; tile < last; tile++) {
      int rows = (int) Math.min(lanes, w.n() - tile * lanes);
      for (int row = 0; row < rows; row++) {
        row(quanta, (tile * lanes + row) * rowBytes, rowBytes, tile * w.tileBytes(), row);
      }
    }
  }

  private void row(Quanta quanta, long src, long bytes, long tile, int row) {
    long word = tile + w.place(row);
    long scale = tile + w.wordBytes() + 2L * TiledWeight.lane(row, w.lanes());
    int blockBytes = type.dtype().blockBytes();
    for (long b = 0; b < bytes; b += blockBytes) {
      quanta.read(from, src + b);
      finite(quanta.d);
      finite(quanta.dmin);
      put(scale, quanta.d);
      if (type.minima()) {
        put(scale + step, quanta.dmin ^ SIGN);
      }
      scale += type.head() * step;
      for (int g = 0; g < type.groups(); g++) {
        if (type.scaled()) {
          int value = quanta.scales[g];
          put(scale, type.minima() ? value & 0xff | quanta.mins[g] << 8 : value);
          scale += step;
        }
        group(quanta, g, word);
        word += type.form().words() * step;
      }
    }
  }

  /** The words of a group. */
  private void group(Quanta quanta, int g, long at) {
    long[] levels = quanta.levels;
    switch (type.form()) {
      case NIBBLES -> {
        long low = pairs(levels[4 * g], levels[4 * g + 1]);
        long high = pairs(levels[4 * g + 2], levels[4 * g + 3]);
        words(low, high, at);
      }
      case THREES, FIVES -> apart(quanta, type.form().group() * g, at);
      case SIXES -> words(levels[2 * g], levels[2 * g + 1], at);
      case BYTES -> {
        for (int i = 0; i < 8; i++) {
          int four = (int) (levels[4 * g + i / 2] >>> i % 2 * Integer.SIZE);
          to.set(JAVA_INT_UNALIGNED, at + 2 * i * step, four);
        }
      }
    }
  }

  /** Eight bytes, each of the low half of one of {@code a} and that of one of {@code b}. */
  private static long pairs(long a, long b) {
    return a & NIBBLES | (b & NIBBLES) << 4;
  }

  /** Eight words, each of a byte of {@code low} and one of {@code high}. */
  private void words(long low, long high, long at) {
    for (int w = 0; w < 8; w++) {
      int shift = 8 * w;
      put(at + w * step, (int) (low >>> shift & 0xff | (high >>> shift & 0xff) << 8));
    }
  }

  /** Words of levels that are as many apart as there are words; the last word may have one less. */
  private void apart(Quanta quanta, int first, long at) {
    TileForm form = type.form();
    int words = form.words();
    for (int w = 0; w < words; w++) {
      int word = 0;
      for (int e = w, shift = 0; e < form.group(); e += words, shift += form.bits()) {
        word |= quanta.level(first + e) << shift;
      }
      put(at + w * step, word);
    }
  }

  private void put(long at, int value) {
    to.set(JAVA_SHORT_UNALIGNED, at, (short) value);
  }

  private static void finite(short half) {
    if ((half & EXPONENT) == EXPONENT) {
      throw new IllegalArgumentException(
          "a block of the weight has the scale " + Float.float16ToFloat(half));
    }
  }
}

package dev.sortie.tensor.kernel.tile;

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

  private final MemorySegment from;
  private final MemorySegment to;
  private final TiledWeight w;
  private final TileType type;

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
        long at = tile * w.tileBytes() + 2L * TiledWeight.lane(row, lanes);
        row(quanta, (tile * lanes + row) * rowBytes, rowBytes, at);
      }
    }
  }

  private void row(Quanta quanta, long src, long bytes, long dst) {
    long step = 2L * w.lanes();
    long at = dst;
    int blockBytes = type.dtype().blockBytes();
    for (long b = 0; b < bytes; b += blockBytes) {
      quanta.read(from, src + b);
      finite(quanta.d);
      finite(quanta.dmin);
      put(at, quanta.d);
      at += step;
      if (type.minima()) {
        put(at, quanta.dmin ^ SIGN);
        at += step;
      }
      for (int g = 0; g < type.groups(); g++) {
        if (type.scaled()) {
          int scale = quanta.scales[g];
          put(at, type.minima() ? scale & 0xff | quanta.mins[g] << 8 : scale);
          at += step;
        }
        int first = g * type.form().group();
        if (type.planes() == 2) {
          at = words(quanta.levels, first, 4, at, step);
        }
        at = words(quanta.levels, first, 0, at, step);
      }
    }
  }

  /** The words of a group of levels, of each the bits from {@code shift} on. */
  private long words(byte[] levels, int first, int shift, long at, long step) {
    TileForm form = type.form();
    int mask = type.planes() == 2 ? 15 : 0xff;
    int words = form.words();
    long to = at;
    for (int w = 0; w < words; w++) {
      int word = 0;
      for (int e = w, s = 0; e < form.group(); e += words, s += form.bits()) {
        word |= ((levels[first + e] & 0xff) >>> shift & mask) << s;
      }
      put(to, word);
      to += step;
    }
    return to;
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

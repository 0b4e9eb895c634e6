package dev.sortie.tensor.kernel.tile;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.Objects;

/**
 * A quantised weight {@code [n, k]} in tiles of {@code lanes} rows, see {@link TileType}. Lanes of
 * rows past the last one are zero.
 *
 * @param type how it lies there
 * @param lanes weight rows a tile, an even number
 * @param values the tiles, as I32
 * @param n outputs
 * @param k inputs, whole blocks
 */
public record TiledWeight(TileType type, int lanes, Span values, int n, int k) {
  public TiledWeight {
    Objects.requireNonNull(type, "type");
    if (lanes < 2 || lanes % 2 != 0 || n < 0 || k < 0 || k % type.dtype().block() != 0) {
      throw new IllegalArgumentException(
          "no tiles of %d rows for a weight [%d, %d] in %s".formatted(lanes, n, k, type));
    }
    if (values.dtype() != DType.I32 || values.length() < elements(type, lanes, n, k)) {
      throw new IllegalArgumentException(
          "tiles of a weight [%d, %d] in %s are %d values of I32, got %d of %s"
              .formatted(n, k, type, elements(type, lanes, n, k), values.length(), values.dtype()));
    }
  }

  /** I32 values that the tiles of a weight take. */
  public static long elements(TileType type, int lanes, int n, int k) {
    return Math.multiplyExact(tiles(n, lanes), type.tileBytes(lanes, k) / 4);
  }

  /** Tiles of {@code n} rows. */
  public static long tiles(int n, int lanes) {
    return Math.ceilDiv((long) n, lanes);
  }

  /** Bytes of a tile. */
  public long tileBytes() {
    return type.tileBytes(lanes, k);
  }

  /** Bytes of a tile before its scales. */
  public long wordBytes() {
    return type.wordBytes(lanes, k);
  }

  /** Bytes from the beginning of a tile to the first level of one of its rows. */
  public long place(int row) {
    return type.form() == TileForm.BYTES ? 4L * row : 2L * lane(row, lanes);
  }

  /** The lane of a row of a tile: rows of the first half are the even lanes. */
  public static int lane(int row, int lanes) {
    int half = lanes / 2;
    return row < half ? 2 * row : 2 * (row - half) + 1;
  }
}

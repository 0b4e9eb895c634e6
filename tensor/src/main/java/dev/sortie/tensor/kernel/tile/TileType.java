package dev.sortie.tensor.kernel.tile;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.dtype.Quanta;
import java.util.Arrays;
import java.util.Optional;

/**
 * The quantised types that lie in tiles. A tile holds some weight rows, one in each lane of 16
 * bits. It has the words of all groups, plane after plane, so that a kernel reads each plane from
 * its beginning to its end. Then it has the scales of each block: d and, in types with minima,
 * -dmin, as F16; unless the block is one group, the scale (low byte) and minimum (high byte) of
 * each group.
 */
public enum TileType {
  Q4_0(DType.Q4_0, TileForm.NIBBLES, 1, false),
  Q4_1(DType.Q4_1, TileForm.NIBBLES, 1, true),
  Q5_0(DType.Q5_0, TileForm.FIVES, 1, false),
  Q5_1(DType.Q5_1, TileForm.FIVES, 1, true),
  Q8_0(DType.Q8_0, TileForm.NIBBLES, 2, false),
  Q4_K(DType.Q4_K, TileForm.NIBBLES, 1, true),
  Q5_K(DType.Q5_K, TileForm.FIVES, 1, true),
  Q6_K(DType.Q6_K, TileForm.SIXES, 1, false),
  Q2_K(DType.Q2_K, TileForm.THREES, 1, true),
  Q3_K(DType.Q3_K, TileForm.THREES, 1, false),
  /** Levels are entries of a table, so they lie as those of Q8_0. */
  IQ4_NL(DType.IQ4_NL, TileForm.NIBBLES, 2, false),
  /** Likewise. */
  IQ4_XS(DType.IQ4_XS, TileForm.NIBBLES, 2, false);

  private final DType dtype;
  private final TileForm form;
  private final int planes;
  private final boolean minima;

  TileType(DType dtype, TileForm form, int planes, boolean minima) {
    this.dtype = dtype;
    this.form = form;
    this.planes = planes;
    this.minima = minima;
  }

  /** The type of tiles for weights of {@code dtype}, if there is one. */
  public static Optional<TileType> of(DType dtype) {
    return Arrays.stream(values()).filter(t -> t.dtype == dtype).findFirst();
  }

  /** The type of the weights. */
  public DType dtype() {
    return dtype;
  }

  /** How levels lie in words. */
  public TileForm form() {
    return form;
  }

  /**
   * 2 where a level of 8 bits is two of 4: the first plane has the high halves, the second one the
   * low ones; else 1.
   */
  public int planes() {
    return planes;
  }

  /** Whether elements have a minimum. */
  public boolean minima() {
    return minima;
  }

  /** The level that stands for zero, before any minimum. */
  public int zero() {
    if (minima) {
      return 0;
    }
    return planes == 2 ? 128 : form.centre();
  }

  /** Groups a block. */
  public int groups() {
    return dtype.block() / form.group();
  }

  /** Whether groups have scales of their own. */
  public boolean scaled() {
    return groups() > 1;
  }

  /** 16-bit values of each lane among a block's scales that are of the whole block. */
  public int head() {
    return minima ? 2 : 1;
  }

  /** 16-bit values of each lane in a block's scales. */
  public int scaleValues() {
    return head() + (scaled() ? groups() : 0);
  }

  /** Bytes of a plane of {@code lanes} weight rows of {@code k} elements. */
  public long planeBytes(int lanes, int k) {
    return 2L * lanes * form.words() * (k / form.group());
  }

  /** Bytes of a tile before its scales. */
  public long wordBytes(int lanes, int k) {
    return planes * planeBytes(lanes, k);
  }

  /** Bytes of a tile of {@code lanes} weight rows of {@code k} elements. */
  public long tileBytes(int lanes, int k) {
    return wordBytes(lanes, k) + 2L * lanes * scaleValues() * (k / dtype.block());
  }

  Quanta quanta() {
    return new Quanta(dtype);
  }
}

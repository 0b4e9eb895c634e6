package dev.sortie.tensor.kernel.tile;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.dtype.Quanta;
import java.util.Arrays;
import java.util.Optional;

/**
 * The quantised types that lie in tiles. A tile holds some weight rows, one in each lane of 16
 * bits; in {@link TileForm#BYTES}, one in each lane of 32 bits of two vectors. It has the words of
 * all groups, so that a kernel reads them from beginning to end. Then it has the scales of each
 * block: d and, in types with minima, -dmin, as F16; unless the block is one group, the scale (low
 * byte) and minimum (high byte) of each group.
 */
public enum TileType {
  Q4_0(DType.Q4_0, TileForm.NIBBLES, false),
  Q4_1(DType.Q4_1, TileForm.NIBBLES, true),
  Q5_0(DType.Q5_0, TileForm.FIVES, false),
  Q5_1(DType.Q5_1, TileForm.FIVES, true),
  Q8_0(DType.Q8_0, TileForm.BYTES, false),
  Q4_K(DType.Q4_K, TileForm.NIBBLES, true),
  Q5_K(DType.Q5_K, TileForm.FIVES, true),
  Q6_K(DType.Q6_K, TileForm.SIXES, false),
  Q2_K(DType.Q2_K, TileForm.THREES, true),
  Q3_K(DType.Q3_K, TileForm.THREES, false),
  /** Levels are entries of a table, so they lie as those of Q8_0. */
  IQ4_NL(DType.IQ4_NL, TileForm.BYTES, false),
  /** Likewise. */
  IQ4_XS(DType.IQ4_XS, TileForm.BYTES, false);

  private final DType dtype;
  private final TileForm form;
  private final boolean minima;

  TileType(DType dtype, TileForm form, boolean minima) {
    this.dtype = dtype;
    this.form = form;
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

  /** Whether elements have a minimum. */
  public boolean minima() {
    return minima;
  }

  /** Whether products of many rows, too, are in integers: elsewhere F32 is as fast. */
  public boolean anyRows() {
    return form.rounds();
  }

  /** The level that stands for zero, before any minimum. */
  public int zero() {
    return minima ? 0 : form.centre();
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

  /** Bytes of a tile of {@code lanes} weight rows of {@code k} elements before its scales. */
  public long wordBytes(int lanes, int k) {
    return 2L * lanes * form.words() * (k / form.group());
  }

  /** Bytes of a tile of {@code lanes} weight rows of {@code k} elements. */
  public long tileBytes(int lanes, int k) {
    return wordBytes(lanes, k) + 2L * lanes * scaleValues() * (k / dtype.block());
  }

  Quanta quanta() {
    return new Quanta(dtype);
  }
}

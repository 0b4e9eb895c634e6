package dev.sortie.nn.text.model;

import java.util.OptionalInt;

/**
 * Switches of a BPE model.
 *
 * @param byteLevel whether the symbols are bytes in the byte-level alphabet instead of characters
 * @param byteFallback whether a character that is no token is spelled with byte tokens such as
 *     {@code <0xE2>}
 * @param fuseUnknown whether several unknown symbols in a row become one unknown token
 * @param ignoreMerges whether a piece that is a token is taken as it is, without merging
 * @param unknown the id for symbols that the vocabulary cannot spell; without it they are left out
 */
public record BpeOptions(
    boolean byteLevel,
    boolean byteFallback,
    boolean fuseUnknown,
    boolean ignoreMerges,
    OptionalInt unknown) {

  /** Byte-level BPE as GPT-2 has it. */
  public static final BpeOptions BYTE_LEVEL =
      new BpeOptions(true, false, false, false, OptionalInt.empty());
}

package dev.sortie.nn.text.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.ByteAlphabet;

/** The ids of the tokens that stand for single bytes. */
final class ByteTokens {
  private ByteTokens() {}

  /** In the alphabet of byte-level BPE; -1 where the vocabulary lacks a byte. */
  static int[] level(Vocabulary vocabulary) {
    int[] ids = new int[256];
    for (int b = 0; b < 256; b++) {
      ids[b] = vocabulary.id(String.valueOf(ByteAlphabet.toChar(b)));
    }
    return ids;
  }

  /**
   * Spelled {@code <0x00>} to {@code <0xFF>}.
   *
   * @throws InputException if one is missing
   */
  static int[] fallback(String source, Vocabulary vocabulary) {
    int[] ids = new int[256];
    for (int b = 0; b < 256; b++) {
      ids[b] = vocabulary.id(TokenDecoding.fallbackToken(b));
      if (ids[b] < 0) {
        throw new InputException(
            source
                + ": model.byte_fallback is true, but model.vocab has no token for byte "
                + b
                + "; all 256 are needed");
      }
    }
    return ids;
  }
}

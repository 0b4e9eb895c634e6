package dev.sortie.nn.text.unicode;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet of byte-level BPE: each byte has one printable character, so that a vocabulary of
 * byte strings can be written as text. Bytes that Latin-1 prints stand for themselves; the others
 * take U+0100, U+0101 and so on, in order (Radford et al. 2019, "bytes_to_unicode").
 */
public final class ByteAlphabet {
  private static final char[] CHAR_OF_BYTE = new char[256];
  private static final short[] BYTE_OF_CHAR = new short[0x144];

  static {
    Arrays.fill(BYTE_OF_CHAR, (short) -1);
    char spare = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean prints = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
      char c = prints ? (char) b : spare++;
      CHAR_OF_BYTE[b] = c;
      BYTE_OF_CHAR[c] = (short) b;
    }
  }

  private ByteAlphabet() {}

  /** The character of a byte. */
  public static char toChar(int unsignedByte) {
    return CHAR_OF_BYTE[unsignedByte];
  }

  /** The byte of a character of the alphabet, or -1. */
  static int toByte(char c) {
    return c < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[c] : -1;
  }

  /** The bytes of {@code text} in UTF-8, spelled in the alphabet. */
  public static String spell(byte[] utf8) {
    char[] chars = new char[utf8.length];
    for (int i = 0; i < utf8.length; i++) {
      chars[i] = CHAR_OF_BYTE[utf8[i] & 0xFF];
    }
    return new String(chars);
  }

  /** The bytes that {@code token} spells; a token with any other character is plain UTF-8. */
  public static byte[] bytes(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      int b = toByte(token.charAt(i));
      if (b < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) b;
    }
    return bytes;
  }
}

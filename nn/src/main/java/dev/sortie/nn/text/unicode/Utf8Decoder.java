package dev.sortie.nn.text.unicode;

/**
 * UTF-8 byte by byte. A maximal part of a character that cannot be completed becomes one U+FFFD, as
 * the WHATWG Encoding Standard and Rust do it; Java's own decoder differs for surrogates.
 */
public final class Utf8Decoder {
  private int codePoint;
  private int missing;
  private int low = 0x80;
  private int high = 0xBF;

  /** Appends the characters that are complete with these bytes. */
  public void accept(byte[] bytes, StringBuilder out) {
    for (byte b : bytes) {
      accept(b & 0xFF, out);
    }
  }

  /** Gives U+FFFD for a character that is still incomplete. */
  public void finish(StringBuilder out) {
    if (missing > 0) {
      out.append('\uFFFD');
      expect(0, 0, 0x80, 0xBF);
    }
  }

  private void accept(int b, StringBuilder out) {
    if (missing > 0) {
      if (b >= low && b <= high) {
        expect(missing - 1, codePoint << 6 | b & 0x3F, 0x80, 0xBF);
        if (missing == 0) {
          out.appendCodePoint(codePoint);
        }
        return;
      }
      finish(out);
    }
    if (b < 0x80) {
      out.append((char) b);
    } else if (b >= 0xC2 && b <= 0xDF) {
      expect(1, b & 0x1F, 0x80, 0xBF);
    } else if (b >= 0xE0 && b <= 0xEF) {
      expect(2, b & 0x0F, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
    } else if (b >= 0xF0 && b <= 0xF4) {
      expect(3, b & 0x07, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
    } else {
      out.append('\uFFFD');
    }
  }

  /** Waits for {@code count} bytes more, the next one between {@code from} and {@code to}. */
  private void expect(int count, int bits, int from, int to) {
    missing = count;
    codePoint = bits;
    low = from;
    high = to;
  }
}

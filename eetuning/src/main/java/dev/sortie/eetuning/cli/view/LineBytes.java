package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.InputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The bytes of a line of standard input while it is read, and the UTF-8 text that they are. */
final class LineBytes {
  private static final int LONGEST = 16 << 20;
  private static final int FIRST = 256;

  private byte[] bytes = new byte[FIRST];
  private int size;

  /** Bytes of whole characters, in front of one that has begun. */
  private int whole;

  /** Where the last whole character begins. */
  private int last;

  /** Bytes that the character which has begun lacks. */
  private int lacking;

  private int number;

  /** Begins the next line. */
  void begin() {
    size = 0;
    whole = 0;
    last = 0;
    lacking = 0;
    number++;
  }

  boolean isEmpty() {
    return size == 0;
  }

  /**
   * Adds a byte.
   *
   * @return whether a character ends with it
   */
  boolean add(int b) {
    if (size == LONGEST) {
      throw new InputException(
          "standard input: line " + number + " has more than " + LONGEST + " bytes");
    }
    if (size == bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.min(LONGEST, 2 * size));
    }
    bytes[size++] = (byte) b;
    lacking = lacking > 0 ? lacking - 1 : following(b);
    if (lacking > 0) {
      return false;
    }
    last = whole;
    whole = size;
    return true;
  }

  /** The last whole character that was added. */
  String character() {
    return decode(last, whole);
  }

  /** Bytes that follow the first one of a character; a wrong one is found when it is decoded. */
  private static int following(int first) {
    return first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
  }

  /** All whole characters. */
  String soFar() {
    return decode(0, whole);
  }

  /** The line. */
  String text() {
    return decode(0, size);
  }

  /** Its length in bytes without the last character. */
  int withoutCharacter() {
    int end = whole;
    while (end > 0 && (bytes[end - 1] & 0xc0) == 0x80) {
      end--;
    }
    return Math.max(0, end - 1);
  }

  /** Its length in bytes without the last word and the blanks after it. */
  int withoutWord() {
    int end = whole;
    while (end > 0 && isBlank(bytes[end - 1])) {
      end--;
    }
    while (end > 0 && !isBlank(bytes[end - 1])) {
      end--;
    }
    return end;
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  /** Drops all bytes but the first {@code length}; the whole characters among them. */
  String cut(int length) {
    String dropped = decode(length, whole);
    size = length;
    whole = length;
    last = length;
    lacking = 0;
    return dropped;
  }

  private String decode(int from, int to) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, from, to - from))
          .toString();
    } catch (CharacterCodingException e) {
      throw new InputException("standard input: line " + number + " is not UTF-8 text", e);
    }
  }
}

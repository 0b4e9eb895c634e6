package dev.sortie.mutation;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Small damages at random: of bits, of numbers, of words, of whole pieces. */
final class Mutator {
  private static final int LARGEST = 1 << 20;

  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    7,
    31,
    32,
    63,
    64,
    127,
    128,
    255,
    256,
    1 << 15,
    1 << 16,
    1 << 20,
    1 << 30,
    Integer.MAX_VALUE,
    1L << 31,
    1L << 32,
    (1L << 32) - 1,
    1L << 53,
    1L << 61,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private static final List<String> WORDS =
      List.of(
          "null",
          "true",
          "-1",
          "0",
          "1e999",
          "1e-999",
          "99999999999999999999",
          "2147483648",
          "4294967296",
          "0.1",
          "[",
          "]",
          "{",
          "}",
          "[[[[[[[[[[[[[[[[[[[[",
          "{\"a\":",
          "\"",
          "\\",
          "\\u0000",
          "\\ud800",
          ",",
          ":",
          "\"\":",
          "\u0000",
          "\u202e",
          "\ud83d\ude00",
          "{{",
          "}}",
          "{%",
          "%}",
          "{#",
          " * 9999999",
          "range(1000000000)",
          "for a in b",
          "endfor",
          "endif",
          "|join",
          "loop",
          "namespace(",
          "macro",
          "\u0120",
          "\u2581",
          "<0x00>",
          "..",
          "/",
          "F64",
          "Q4_K",
          "BPE",
          "type",
          "id",
          "content");

  private final Random random;
  private final List<byte[]> corpus;

  /**
   * @param corpus files of the same kind, of which pieces are taken too
   */
  Mutator(long seed, List<byte[]> corpus) {
    this.random = new Random(seed);
    this.corpus = corpus;
  }

  /** One of the files with one damage, or with a few. */
  byte[] next() {
    byte[] bytes = any().clone();
    int damages = 1 + (random.nextInt(3) == 0 ? random.nextInt(8) : 0);
    for (int i = 0; i < damages; i++) {
      bytes = damaged(bytes);
    }
    return bytes.length > LARGEST ? Arrays.copyOf(bytes, LARGEST) : bytes;
  }

  private byte[] any() {
    return corpus.get(random.nextInt(corpus.size()));
  }

  private byte[] damaged(byte[] b) {
    int at = random.nextInt(b.length + 1);
    return switch (random.nextInt(11)) {
      case 0, 1 -> flip(b);
      case 2 -> set(b, at, (byte) new int[] {0, 0xff, 0x7f, 0x80, ' ', '"'}[random.nextInt(6)]);
      case 3 -> number(b, at, 4);
      case 4 -> number(b, at, 8);
      case 5 -> Arrays.copyOf(b, at);
      case 6 -> splice(b, at, Math.min(b.length, at + length()), new byte[0]);
      case 7 -> splice(b, at, at, piece(b));
      case 8 -> splice(b, at, Math.min(b.length, at + length()), piece(any()));
      case 9 -> splice(b, at, random.nextBoolean() ? at : Math.min(b.length, at + 1), word());
      default -> digits(b);
    };
  }

  private byte[] flip(byte[] b) {
    return b.length == 0
        ? b
        : set(b, random.nextInt(b.length), (byte) (1 << random.nextInt(8)), true);
  }

  private static byte[] set(byte[] b, int at, byte value) {
    return set(b, at, value, false);
  }

  private static byte[] set(byte[] b, int at, byte value, boolean xor) {
    if (at >= b.length) {
      return b;
    }
    b[at] = (byte) (xor ? b[at] ^ value : value);
    return b;
  }

  private byte[] number(byte[] b, int at, int size) {
    if (at + size > b.length) {
      return b;
    }
    ByteBuffer buffer = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
    long old = size == 4 ? buffer.getInt(at) : buffer.getLong(at);
    long now =
        random.nextBoolean()
            ? NUMBERS[random.nextInt(NUMBERS.length)]
            : old + random.nextInt(-16, 17);
    if (size == 4) {
      buffer.putInt(at, (int) now);
    } else {
      buffer.putLong(at, now);
    }
    return b;
  }

  /** Another number in place of one that is written in decimal digits. */
  private byte[] digits(byte[] b) {
    int from = b.length == 0 ? 0 : random.nextInt(b.length);
    while (from < b.length && !Character.isDigit(b[from])) {
      from++;
    }
    int to = from;
    while (to < b.length && Character.isDigit(b[to])) {
      to++;
    }
    String text = Long.toString(NUMBERS[random.nextInt(NUMBERS.length)]);
    return splice(b, from, to, text.getBytes(StandardCharsets.US_ASCII));
  }

  private byte[] word() {
    byte[] word = WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int times = random.nextInt(20) == 0 ? random.nextInt(20_000) : 1;
    for (int i = 0; i < times; i++) {
      out.writeBytes(word);
    }
    return out.toByteArray();
  }

  private int length() {
    return random.nextInt(random.nextBoolean() ? 16 : 512);
  }

  private byte[] piece(byte[] of) {
    int from = random.nextInt(of.length + 1);
    return Arrays.copyOfRange(of, from, Math.min(of.length, from + length()));
  }

  private static byte[] splice(byte[] b, int from, int to, byte[] piece) {
    byte[] out = new byte[b.length - (to - from) + piece.length];
    System.arraycopy(b, 0, out, 0, from);
    System.arraycopy(piece, 0, out, from, piece.length);
    System.arraycopy(b, to, out, from + piece.length, b.length - to);
    return out;
  }
}

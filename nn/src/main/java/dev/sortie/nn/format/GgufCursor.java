package dev.sortie.nn.format;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sortie.nn.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads the header of a GGUF file from front to back and never past its end. */
final class GgufCursor {
  static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** What the decoder of String puts where bytes are not UTF-8. */
  private static final char REPLACEMENT = '\ufffd';

  private final Path file;
  private final MemorySegment bytes;
  private final long end;
  private long at;

  /**
   * A cursor at the first byte.
   *
   * @param bytes the whole file
   * @param most where a header ends at the latest
   */
  GgufCursor(Path file, MemorySegment bytes, long most) {
    this.file = file;
    this.bytes = bytes;
    this.end = Math.min(bytes.byteSize(), most);
  }

  /** Bytes read so far. */
  long at() {
    return at;
  }

  /** Bytes that are left. */
  long remaining() {
    return end - at;
  }

  /** The next {@code count} bytes, checked. */
  MemorySegment take(String what, long count) {
    if (count < 0 || count > remaining()) {
      throw error(
          "%s needs %s bytes from byte %d on, but %s; fetch it again",
          what,
          Long.toUnsignedString(count),
          at,
          end == bytes.byteSize()
              ? "the file ends at " + end
              : "a header may have no more than " + end);
    }
    MemorySegment taken = bytes.asSlice(at, count);
    at += count;
    return taken;
  }

  /** An unsigned 32-bit number as the bits of an int. */
  int u32(String what) {
    return take(what, 4).get(I32, 0);
  }

  /** An unsigned 64-bit number as the bits of a long. */
  long u64(String what) {
    return take(what, 8).get(I64, 0);
  }

  /**
   * A count or length; unsigned, so that none is negative.
   *
   * @param limit what is allowed at most
   * @param room what the rest of the file could hold
   */
  long count(String what, long least, long limit, long room) {
    long count = u64(what);
    if (Long.compareUnsigned(count, limit) > 0 || Long.compareUnsigned(count, least) < 0) {
      throw error("%s is %s, expected %d to %d", what, Long.toUnsignedString(count), least, limit);
    }
    if (count > room) {
      throw error(
          "%s is %d, the rest of the file could hold %d; fetch it again", what, count, room);
    }
    return count;
  }

  /** A string: its length in bytes, then UTF-8. */
  String string(String what, long least, long most) {
    long length = count("length of " + what, least, most, remaining() - Long.BYTES);
    byte[] utf8 = take(what, length).toArray(JAVA_BYTE);
    String text = new String(utf8, StandardCharsets.UTF_8);
    if (text.indexOf(REPLACEMENT) >= 0) {
      requireUtf8(what, utf8);
    }
    return text;
  }

  /**
   * Passes over the strings of a list, checked as {@link #string} does. A vocabulary has 100,000 of
   * them, and the code is cold: their bytes are decoded together, each length written over by
   * zeros, which end a sequence as the end of a string does.
   *
   * @param list its name
   */
  void strings(String list, int count, long most) {
    long from = at;
    // a buffer, since a segment takes several times as long for a number until it is compiled
    ByteBuffer lengths = bytes.asSlice(from, remaining()).asByteBuffer();
    lengths.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      long room = remaining() - Long.BYTES;
      long length = room < 0 ? -1 : lengths.getLong((int) (at - from));
      if (length < 0 || length > most || length > room) {
        string(list + "[" + i + "]", 0, most); // says what is wrong
      }
      at += Long.BYTES + length;
    }
    ByteBuffer all = ByteBuffer.wrap(bytes.asSlice(from, at - from).toArray(JAVA_BYTE));
    all.order(ByteOrder.LITTLE_ENDIAN);
    int next = 0;
    for (int i = 0; i < count; i++) {
      int length = (int) all.getLong(next);
      all.putLong(next, 0);
      next += Long.BYTES + length;
    }
    if (new String(all.array(), StandardCharsets.UTF_8).indexOf(REPLACEMENT) >= 0) {
      at = from;
      for (int i = 0; i < count; i++) {
        string(list + "[" + i + "]", 0, most); // says which, or that all are well
      }
    }
  }

  /** Fails where the lenient decoder of String put in a replacement. */
  private void requireUtf8(String what, byte[] bytes) {
    ByteBuffer utf8 = ByteBuffer.wrap(bytes);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(utf8);
    } catch (CharacterCodingException e) {
      throw error(
          "%s is not valid UTF-8 at its byte %d; the file is damaged", what, utf8.position());
    }
  }

  /** An integer of this type at byte {@code at}; of UINT64 the bits. */
  static long whole(GgufType type, MemorySegment bytes, long at) {
    return switch (type) {
      case UINT8 -> bytes.get(JAVA_BYTE, at) & 0xffL;
      case INT8 -> bytes.get(JAVA_BYTE, at);
      case UINT16 -> bytes.get(I16, at) & 0xffffL;
      case INT16 -> bytes.get(I16, at);
      case UINT32 -> bytes.get(I32, at) & 0xffffffffL;
      case INT32 -> bytes.get(I32, at);
      case UINT64, INT64 -> bytes.get(I64, at);
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY ->
          throw new IllegalArgumentException(type + " is no integer");
    };
  }

  /** An error with the file's name before it. */
  InputException error(String format, Object... values) {
    return new InputException(file + ": " + format.formatted(values));
  }
}

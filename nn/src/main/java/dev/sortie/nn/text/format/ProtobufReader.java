package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads one message of the protocol-buffers wire format, field by field, from bytes that may be
 * hostile: nothing is taken that the bytes do not hold, and each error is one line with its place.
 *
 * <pre>
 * field: varint (number shifted by 3 | kind) | value
 * kind: 0 varint, 1 eight bytes, 2 varint length and bytes, 5 four bytes
 * </pre>
 */
final class ProtobufReader {
  private static final int VARINT = 0;
  private static final int EIGHT_BYTES = 1;
  private static final int BYTES = 2;
  private static final int FOUR_BYTES = 5;
  private static final int MAX_FIELD = (1 << 29) - 1;

  private final String file;
  private final ByteBuffer in;
  private int kind;
  private int field;

  /** A reader of the bytes between position and limit. */
  ProtobufReader(String file, ByteBuffer in) {
    this.file = file;
    this.in = in.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Moves to the next field: its number, or 0 at the end. The value must then be read. */
  int next() {
    if (!in.hasRemaining()) {
      return 0;
    }
    long key = varint();
    field = key >>> 3 > MAX_FIELD ? 0 : (int) (key >>> 3);
    kind = (int) (key & 7);
    if (field == 0) {
      throw damaged("a field has the number " + Long.toUnsignedString(key >>> 3));
    }
    return field;
  }

  long integer() {
    require(VARINT);
    return varint();
  }

  /** An integer of 32 bits; negative ones are stored with 64. */
  int int32() {
    long value = integer();
    if (value != (int) value) {
      throw damaged("field " + field + " is " + value + ", more than 32 bits");
    }
    return (int) value;
  }

  boolean bool() {
    return integer() != 0;
  }

  float float32() {
    require(FOUR_BYTES);
    need(4);
    return in.getFloat();
  }

  /** The bytes of a message, a text or a plain string of bytes. */
  ByteBuffer bytes() {
    require(BYTES);
    long length = varint();
    if (length < 0 || length > in.remaining()) {
      throw damaged(
          "field %d has %s bytes, but %d are left"
              .formatted(field, Long.toUnsignedString(length), in.remaining()));
    }
    ByteBuffer value = in.slice(in.position(), (int) length);
    in.position(in.position() + (int) length);
    return value;
  }

  ProtobufReader message() {
    return new ProtobufReader(file, bytes());
  }

  String text() {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes()).toString();
    } catch (CharacterCodingException e) {
      throw damaged("field " + field + " is no UTF-8");
    }
  }

  void skip() {
    switch (kind) {
      case VARINT -> varint();
      case EIGHT_BYTES -> in.position(in.position() + need(8));
      case BYTES -> bytes();
      case FOUR_BYTES -> in.position(in.position() + need(4));
      default ->
          throw damaged("field " + field + " is of kind " + kind + ", which is not supported");
    }
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      need(1);
      byte b = in.get();
      if (shift == 63 && b > 1) {
        break;
      }
      value |= (long) (b & 0x7F) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw damaged("an integer has more than 64 bits");
  }

  private void require(int expected) {
    if (kind != expected) {
      throw damaged("field " + field + " is of kind " + kind + ", expected " + expected);
    }
  }

  private int need(int bytes) {
    if (in.remaining() < bytes) {
      throw damaged("ends inside a field");
    }
    return bytes;
  }

  private InputException damaged(String what) {
    return new InputException(
        "%s: not a SentencePiece model that can be read: %s (byte %d of a message of %d)"
            .formatted(file, what, in.position(), in.limit()));
  }
}

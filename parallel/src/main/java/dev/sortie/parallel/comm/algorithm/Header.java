package dev.sortie.parallel.comm.algorithm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The 64 bytes in front of each message, little-endian:
 *
 * <pre>
 *    0        4     5     6     7     8      12     16      24         32      40      48      64
 *    +--------+-----+-----+-----+-----+------+------+-------+----------+-------+-------+-------+
 *    | magic  | op  |type |algo |order| root |group | count | sequence | bytes | place |   0   |
 *    | i32    | u8  | u8  | u8  | u8  | i32  | i32  | i64   | i64      | i64   | i64   |       |
 *    +--------+-----+-----+-----+-----+------+------+-------+----------+-------+-------+-------+
 * </pre>
 *
 * {@code bytes} follow the header; {@code place} is where the sender's buffer lies in shared
 * memory, or -1.
 */
final class Header {
  static final int BYTES = 64;

  private static final int MAGIC = 0x31545253; // "SRT1"
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final Operation[] OPERATIONS = Operation.values();
  private static final ElementType[] TYPES = ElementType.values();
  private static final Algorithm[] ALGORITHMS = Algorithm.values();
  private static final Order[] ORDERS = Order.values();

  private Header() {}

  static void write(MemorySegment to, Fingerprint call, long bytes, long place) {
    to.set(INT, 0, MAGIC);
    to.set(JAVA_BYTE, 4, (byte) call.operation().ordinal());
    to.set(JAVA_BYTE, 5, (byte) call.type().ordinal());
    to.set(JAVA_BYTE, 6, (byte) call.algorithm().ordinal());
    to.set(JAVA_BYTE, 7, (byte) call.order().ordinal());
    to.set(INT, 8, call.root());
    to.set(INT, 12, call.group());
    to.set(LONG, 16, call.count());
    to.set(LONG, 24, call.sequence());
    to.set(LONG, 32, bytes);
    to.set(LONG, 40, place);
    to.set(LONG, 48, 0);
    to.set(LONG, 56, 0);
  }

  /** Whether these bytes can be a header. */
  static boolean isSound(MemorySegment from) {
    return from.get(INT, 0) == MAGIC
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 4)) < OPERATIONS.length
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 5)) < TYPES.length
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 6)) < ALGORITHMS.length
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 7)) < ORDERS.length;
  }

  /** The call of a sound header. */
  static Fingerprint call(MemorySegment from) {
    return new Fingerprint(
        OPERATIONS[from.get(JAVA_BYTE, 4)],
        TYPES[from.get(JAVA_BYTE, 5)],
        ALGORITHMS[from.get(JAVA_BYTE, 6)],
        ORDERS[from.get(JAVA_BYTE, 7)],
        from.get(INT, 8),
        from.get(INT, 12),
        from.get(LONG, 16),
        from.get(LONG, 24));
  }

  static long bytes(MemorySegment from) {
    return from.get(LONG, 32);
  }

  static long place(MemorySegment from) {
    return from.get(LONG, 40);
  }
}

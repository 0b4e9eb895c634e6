package dev.sortie.parallel.comm.message;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The 48 bytes in front of each message, little-endian. With eight bytes of payload and the stamp
 * of a {@code ByteRing} they fill one cache line.
 *
 * <pre>
 *    0        4     5     6     7     8      12     16      24         32      40      48
 *    +--------+-----+-----+-----+-----+------+------+-------+----------+-------+-------+
 *    | magic  | op  |type |algo |order| root |group | count | sequence | bytes | place |
 *    | i32    | u8  | u8  | u8  | u8  | i32  | i32  | i64   | i64      | i64   | i64   |
 *    +--------+-----+-----+-----+-----+------+------+-------+----------+-------+-------+
 * </pre>
 *
 * {@code bytes} follow the header; {@code place} is where the sender's buffer lies in shared
 * memory, or -1. Written and compared as words of eight bytes: narrower stores would hold up the
 * copy that follows at once.
 */
final class Header {
  static final int BYTES = 48;

  private static final int MAGIC = 0x32545253; // "SRT2"
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ElementType[] TYPES = ElementType.values();
  private static final Algorithm[] ALGORITHMS = Algorithm.values();
  private static final Order[] ORDERS = Order.values();

  private Header() {}

  static void write(MemorySegment to, CallFingerprint call, long bytes, long place) {
    to.set(LONG, 0, kind(call));
    to.set(LONG, 8, members(call));
    to.set(LONG, 16, call.count());
    to.set(LONG, 24, call.sequence());
    to.set(LONG, 32, bytes);
    to.set(LONG, 40, place);
  }

  /** Whether this is the header of a message of {@code bytes} that belongs to {@code call}. */
  static boolean isOf(MemorySegment from, CallFingerprint call, long bytes) {
    return from.get(LONG, 0) == kind(call)
        && from.get(LONG, 8) == members(call)
        && from.get(LONG, 16) == call.count()
        && from.get(LONG, 24) == call.sequence()
        && from.get(LONG, 32) == bytes;
  }

  private static long kind(CallFingerprint call) {
    return Integer.toUnsignedLong(MAGIC)
        | (long) call.operation().code() << 32
        | (long) call.type().ordinal() << 40
        | (long) call.algorithm().ordinal() << 48
        | (long) call.order().ordinal() << 56;
  }

  private static long members(CallFingerprint call) {
    return Integer.toUnsignedLong(call.root()) | (long) call.group() << 32;
  }

  /** Whether these bytes can be a header. */
  static boolean isSound(MemorySegment from) {
    return from.get(INT, 0) == MAGIC
        && Operation.of(from.get(JAVA_BYTE, 4)).isPresent()
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 5)) < TYPES.length
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 6)) < ALGORITHMS.length
        && Byte.toUnsignedInt(from.get(JAVA_BYTE, 7)) < ORDERS.length;
  }

  /** The call of a sound header. */
  static CallFingerprint call(MemorySegment from) {
    return new CallFingerprint(
        Operation.of(from.get(JAVA_BYTE, 4)).orElseThrow(),
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

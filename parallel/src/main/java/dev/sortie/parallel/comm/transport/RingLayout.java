package dev.sortie.parallel.comm.transport;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Bytes of a {@link ByteRing}. Head and tail count all bytes ever read and written; each has two
 * cache lines of its own, since processors fetch lines in pairs.
 *
 * <pre>
 *    0                  128                 256                    256 + capacity
 *    +-------+----------+-------+-----------+----------------------+
 *    | tail  |  unused  | head  |  unused   |  data                |
 *    | i64   |          | i64   |           |  a power of two      |
 *    +-------+----------+-------+-----------+----------------------+
 *      written by the     written by the
 *      producer           consumer
 * </pre>
 */
final class RingLayout {
  static final long TAIL = 0;
  static final long HEAD = 128;
  static final long DATA = 256;

  /** Access to head and tail by (segment, offset). */
  static final VarHandle COUNTER = ValueLayout.JAVA_LONG.varHandle();

  private RingLayout() {}

  /** Bytes of a ring that holds {@code capacity}. */
  static long bytes(long capacity) {
    return DATA + capacity;
  }
}

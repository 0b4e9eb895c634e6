package dev.sortie.parallel.comm.transport.shm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Bytes of a {@link ByteRing}: cells that say what has been written, short pieces in themselves,
 * and data for longer ones. What each side writes is two cache lines from what the other one
 * writes, since processors fetch lines in pairs.
 *
 * <pre>
 *    0        8         16           128                   128 + 128·64           … + capacity
 *    +--------+---------+------------+---------------------+----------------------+
 *    | read   | emptied |   unused   |  64 cells           |  data                |
 *    | i64    | i64     |            |  128 bytes each     |  a power of two      |
 *    +--------+---------+------------+---------------------+----------------------+
 *      written by the consumer         written by the producer
 *
 *    a cell:  0        8                        64        128
 *             +--------+------------------------+---------+
 *             | stamp  |  up to 56 bytes        | unused  |
 *             | i64    |                        |         |
 *             +--------+------------------------+---------+
 * </pre>
 *
 * {@code read} counts all bytes of data ever read, {@code emptied} all cells. A stamp has in its
 * upper 44 bits the cell's number, counted from 1 without end, and in the lower 20 how many bytes
 * it publishes: up to 56 lie after it in the same cache line, more lie in data, where those of the
 * cell before ended.
 */
final class RingLayout {
  static final long READ = 0;
  static final long EMPTIED = 8;

  static final int CELLS = 64;
  static final long INLINE = 56;

  private static final long FIRST_CELL = 128;
  private static final long CELL_BYTES = 128;
  private static final long CELL_CONTENTS = 8;
  private static final int LENGTH_BITS = 20;

  static final long DATA = FIRST_CELL + CELLS * CELL_BYTES;

  /** Access to counts and stamps by (segment, offset). */
  static final VarHandle COUNTER = ValueLayout.JAVA_LONG.varHandle();

  private RingLayout() {}

  /** Bytes of a ring that holds {@code capacity}. */
  static long bytes(long capacity) {
    return DATA + capacity;
  }

  /** Where the cell of a number has its stamp. */
  static long cell(long number) {
    return FIRST_CELL + number % CELLS * CELL_BYTES;
  }

  /** Where the cell of a number has its bytes. */
  static long contents(long number) {
    return cell(number) + CELL_CONTENTS;
  }

  static long stamp(long number, long bytes) {
    return number << LENGTH_BITS | bytes;
  }

  /** The bytes that a stamp publishes if it is of the cell with this number, else 0. */
  static long published(long stamp, long number) {
    return stamp >>> LENGTH_BITS == number ? stamp & (1L << LENGTH_BITS) - 1 : 0;
  }
}

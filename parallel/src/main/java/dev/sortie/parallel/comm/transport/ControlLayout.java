package dev.sortie.parallel.comm.transport;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Bytes that all ranks of a job share: the first failure, and a sign of life of each rank.
 *
 * <pre>
 *    0        4       8         64                      1024
 *    +--------+-------+---------+-----------------------+-------------+-------------+--
 *    | state  | kind  | length  | reason, UTF-8         |  rank 0     |  rank 1     | …
 *    | i32    | i32   | i32     | at most 960 bytes     |  128 bytes  |  128 bytes  |
 *    +--------+-------+---------+-----------------------+-------------+-------------+--
 *
 *    a rank:  0          8          16              24           128
 *             +----------+----------+---------------+------------+
 *             | beat     | process  | start of the  |  unused    |
 *             | i64      | i64      | process, ms   |            |
 *             +----------+----------+---------------+------------+
 * </pre>
 *
 * {@code state} goes from 0 over 1 (being written) to 2; {@code beat} counts up, and is -1 after
 * the rank has left.
 */
final class ControlLayout {
  static final long STATE = 0;
  static final long KIND = 4;
  static final long LENGTH = 8;
  static final long REASON = 64;
  static final int REASON_BYTES = 960;
  static final long RANKS = 1024;
  static final long RANK_BYTES = 128;

  static final long BEAT = 0;
  static final long PROCESS = 8;
  static final long START = 16;

  static final int QUIET = 0;
  static final int WRITING = 1;
  static final int FAILED = 2;
  static final long LEFT = -1;

  static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private ControlLayout() {}

  static long bytes(int ranks) {
    return RANKS + ranks * RANK_BYTES;
  }

  static long rank(int rank) {
    return RANKS + rank * RANK_BYTES;
  }
}

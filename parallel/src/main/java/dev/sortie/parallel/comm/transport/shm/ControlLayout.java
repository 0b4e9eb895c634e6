package dev.sortie.parallel.comm.transport.shm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Bytes that all ranks of a job share: the first failure, a sign of life of each rank, and what the
 * others need to read its memory.
 *
 * <pre>
 *    0        4       8         64                      1024
 *    +--------+-------+---------+-----------------------+-------------+-------------+--
 *    | state  | kind  | length  | reason, UTF-8         |  rank 0     |  rank 1     | …
 *    | i32    | i32   | i32     | at most 960 bytes     |  128 bytes  |  128 bytes  |
 *    +--------+-------+---------+-----------------------+-------------+-------------+--
 *
 *    a rank:  0       8         16             24         32       40         48          56       128
 *             +-------+---------+--------------+----------+--------+----------+-----------+--------+
 *             | beat  | process | start of the | probe's  | probe  | reaches  | numbering | unused |
 *             | i64   | i64     | process, ms  | address  | i64    | others   | i64       |        |
 *             +-------+---------+--------------+----------+--------+----------+-----------+--------+
 * </pre>
 *
 * {@code state} goes from 0 over 1 (being written) to 2; {@code beat} counts up, and is -1 after
 * the rank has left. {@code probe} is a random number that also stands at its address in the rank's
 * own memory; {@code reaches} is 0 until the rank has tried to read all others' there. {@code
 * numbering} is equal where the same number means the same process, 0 where this is not known.
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

  static final long PROBE_ADDRESS = 24;
  static final long PROBE = 32;
  static final long REACHES = 40;
  static final long NUMBERING = 48;
  static final long REACHES_ALL = 1;
  static final long REACHES_NOT_ALL = 2;

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

package dev.sortie.parallel.comm.transport.shm;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Bytes of a file that the members of a group map together. The creator writes {@code ready} last;
 * each member counts itself when it has mapped the file, and when all have, its name is removed.
 *
 * <pre>
 *    0          8                 128               4096
 *    +----------+-----------------+-----------------+------------------+
 *    | ready    |  unused         | mapped | unused |  contents        |
 *    | i64      |                 | i64    |        |                  |
 *    +----------+-----------------+-----------------+------------------+
 * </pre>
 */
final class SharedFileLayout {
  static final long READY = 0;
  static final long MAPPED = 128;
  static final long CONTENTS = 4096;

  /** What {@code ready} holds: "sortie" and the version of this layout. */
  static final long MAGIC = 0x0002_6569_7472_6f73L;

  static final VarHandle COUNTER = ValueLayout.JAVA_LONG.varHandle();

  private SharedFileLayout() {}
}

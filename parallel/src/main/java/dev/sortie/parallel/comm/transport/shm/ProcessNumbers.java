package dev.sortie.parallel.comm.transport.shm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How the system that a rank sees numbers its processes. */
final class ProcessNumbers {
  /** The numbering of a system that does not tell. */
  static final long UNKNOWN = 0;

  private static final Path NAMESPACE = Path.of("/proc/self/ns/pid");
  private static final long NUMBERING = read(NAMESPACE);

  private ProcessNumbers() {}

  /**
   * A number that is equal for ranks of one machine if they mean the same process by the same
   * number, as in one container of Linux; {@link #UNKNOWN} where this cannot be found out.
   */
  static long numbering() {
    return NUMBERING;
  }

  /** The link says {@code pid:[4026531836]}. */
  static long read(Path namespace) {
    try {
      String digits = Files.readSymbolicLink(namespace).toString().replaceAll("[^0-9]", "");
      return Long.parseLong(digits);
    } catch (IOException | UnsupportedOperationException | NumberFormatException e) {
      return UNKNOWN;
    }
  }
}

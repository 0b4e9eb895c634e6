package dev.sortie.eetuning.cli.base;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Who reads standard output. Work whose result is printed at its end would otherwise learn only
 * then that the other end of the pipe was closed. POSIX {@code poll} tells; where there is none,
 * somebody always reads.
 */
public final class OutputReader {
  private static final int STANDARD_OUTPUT = 1;

  /** POLLERR and POLLHUP, which need not be asked for. */
  private static final int GONE = 0x8 | 0x10;

  private static final long EVENTS = 4;
  private static final long RETURNED = 6;
  private static final long POLLFD = 8;

  private static final Optional<MethodHandle> POLL = poll();

  private OutputReader() {}

  /** Empty where the system has none, or the JVM refuses native access. */
  private static Optional<MethodHandle> poll() {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor signature = FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    try {
      return linker
          .defaultLookup()
          .find("poll")
          .map(address -> linker.downcallHandle(address, signature));
    } catch (IllegalCallerException e) {
      return Optional.empty();
    }
  }

  /**
   * Returns if somebody may still read what is printed to standard output.
   *
   * @throws StandardOutput.LostException if nobody does
   */
  public static void require() {
    if (POLL.isPresent() && isGone(POLL.get())) {
      throw new StandardOutput.LostException(new IOException("Broken pipe"));
    }
  }

  private static boolean isGone(MethodHandle poll) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment file = arena.allocate(POLLFD, Integer.BYTES);
      file.set(JAVA_INT, 0, STANDARD_OUTPUT);
      file.set(JAVA_SHORT, EVENTS, (short) 0);
      int changed = (int) poll.invokeExact(file, 1L, 0);
      return changed == 1 && (file.get(JAVA_SHORT, RETURNED) & GONE) != 0;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("poll failed", e);
    }
  }
}

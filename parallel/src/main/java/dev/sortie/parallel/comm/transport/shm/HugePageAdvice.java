package dev.sortie.parallel.comm.transport.shm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Asks Linux for 2 MiB pages in a mapping that has not been touched. A hint: elsewhere, and where
 * the system refuses, pages stay small and only speed is lost.
 */
final class HugePageAdvice {
  private static final int MADV_HUGEPAGE = 14;

  private HugePageAdvice() {}

  static void give(MemorySegment mapping) {
    boolean linux = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");
    Linker linker = Linker.nativeLinker();
    var address = linker.defaultLookup().find("madvise");
    if (!linux || address.isEmpty()) {
      return;
    }
    MethodHandle madvise =
        linker.downcallHandle(
            address.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    try {
      int ignored = (int) madvise.invokeExact(mapping, mapping.byteSize(), MADV_HUGEPAGE);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("madvise failed", e);
    }
  }
}

package dev.sortie.tensor.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * Zeroed memory in 2 MiB pages where the OS offers them (Linux {@code madvise}); ordinary memory
 * elsewhere. The advice must come before the first touch, so large blocks are mapped here and not
 * taken from the allocator, which would zero them first.
 */
final class HugePages {
  static final long PAGE = 2L << 20;

  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_HUGEPAGE = 14;
  private static final Optional<Calls> CALLS = Calls.find();

  private HugePages() {}

  /** Memory of {@code bytes}, freed with {@code arena}. */
  static MemorySegment allocate(Arena arena, long bytes) {
    if (bytes < 2 * PAGE || CALLS.isEmpty()) {
      return arena.allocate(Math.max(bytes, 64), 64);
    }
    return CALLS.get().map(arena, bytes);
  }

  /** Whether large blocks are asked for in huge pages on this OS. */
  static boolean offered() {
    return CALLS.isPresent();
  }

  private record Calls(MethodHandle mmap, MethodHandle munmap, MethodHandle madvise) {
    static Optional<Calls> find() {
      if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")) {
        return Optional.empty();
      }
      Linker linker = Linker.nativeLinker();
      var lookup = linker.defaultLookup();
      var mmap = lookup.find("mmap");
      var munmap = lookup.find("munmap");
      var madvise = lookup.find("madvise");
      if (mmap.isEmpty() || munmap.isEmpty() || madvise.isEmpty()) {
        return Optional.empty();
      }
      try {
        return Optional.of(of(linker, mmap.get(), munmap.get(), madvise.get()));
      } catch (IllegalCallerException e) { // refused: KernelSets says which flag allows it
        return Optional.empty();
      }
    }

    private static Calls of(
        Linker linker, MemorySegment mmap, MemorySegment munmap, MemorySegment madvise) {
      return new Calls(
          linker.downcallHandle(
              mmap,
              FunctionDescriptor.of(
                  ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG)),
          linker.downcallHandle(munmap, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG)),
          linker.downcallHandle(
              madvise, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT)));
    }

    MemorySegment map(Arena arena, long bytes) {
      long size = (bytes + PAGE - 1) / PAGE * PAGE + PAGE;
      try {
        MemorySegment base =
            (MemorySegment)
                mmap.invokeExact(
                    MemorySegment.NULL, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
        if (base.address() == -1L) {
          throw new OutOfMemoryError("the OS refused " + size + " bytes of off-heap memory");
        }
        long aligned = (base.address() + PAGE - 1) / PAGE * PAGE;
        MemorySegment all = base.reinterpret(size, arena, this::unmap);
        MemorySegment block = all.asSlice(aligned - base.address(), bytes);
        int ignored =
            (int)
                madvise.invokeExact(
                    block, bytes, MADV_HUGEPAGE); // a hint: refusal only costs speed
        return block;
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("mmap failed", e);
      }
    }

    private void unmap(MemorySegment base) {
      try {
        int ignored = (int) munmap.invokeExact(base, base.byteSize());
      } catch (Throwable e) {
        throw new IllegalStateException("munmap failed", e);
      }
    }
  }
}

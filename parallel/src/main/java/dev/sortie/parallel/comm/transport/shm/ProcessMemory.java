package dev.sortie.parallel.comm.transport.shm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Locale;
import java.util.Optional;

/**
 * Reads the memory of other processes of this machine by Linux's {@code process_vm_readv}: one copy
 * by the kernel, straight into the caller's memory. It needs the right to trace the other process:
 * the same user, and no Yama that forbids it ({@code kernel.yama.ptrace_scope} 0). Used by one
 * thread at a time.
 */
final class ProcessMemory {
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
  private static final VarHandle ERRNO_VALUE =
      Linker.Option.captureStateLayout().varHandle(PathElement.groupElement("errno"));
  private static final Optional<MethodHandle> READ = find();

  /** An iovec: address and length. */
  private static final long IOVEC_LENGTH = 8;

  private static final long IOVEC_BYTES = 16;

  private final MethodHandle read;
  private final MemorySegment local;
  private final MemorySegment remote;
  private final MemorySegment state;

  private ProcessMemory(MethodHandle read, Arena arena) {
    this.read = read;
    this.local = arena.allocate(IOVEC_BYTES, 8);
    this.remote = arena.allocate(IOVEC_BYTES, 8);
    this.state = arena.allocate(Linker.Option.captureStateLayout());
  }

  /** A reader, where the system has the call. */
  static Optional<ProcessMemory> open(Arena arena) {
    return READ.map(read -> new ProcessMemory(read, arena));
  }

  private static Optional<MethodHandle> find() {
    if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")) {
      return Optional.empty();
    }
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor readv =
        FunctionDescriptor.of(
            JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
    return linker
        .defaultLookup()
        .find("process_vm_readv")
        .map(address -> linker.downcallHandle(address, readv, ERRNO));
  }

  /**
   * Fills {@code into} with what a process has from {@code address} on.
   *
   * @return 0, or the error of the system
   */
  int read(long process, long address, MemorySegment into) {
    long done = 0;
    while (done < into.byteSize()) {
      long left = into.byteSize() - done;
      iovec(local, into.address() + done, left);
      iovec(remote, address + done, left);
      long got;
      try {
        got = (long) read.invokeExact(state, (int) process, local, 1L, remote, 1L, 0L);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("process_vm_readv failed", e);
      }
      if (got <= 0) {
        return (int) ERRNO_VALUE.get(state, 0L);
      }
      done += got;
    }
    return 0;
  }

  private static void iovec(MemorySegment iovec, long address, long length) {
    iovec.set(JAVA_LONG, 0, address);
    iovec.set(JAVA_LONG, IOVEC_LENGTH, length);
  }
}

package dev.sortie.parallel.comm.transport.mpi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sortie.nn.InputException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.NoSuchElementException;

/**
 * The calls of an MPI library that move bytes. One at a time: the library is asked for no more than
 * MPI_THREAD_SERIALIZED. None of them waits for another rank, but for the first and the last.
 */
final class MpiLibrary {
  private static final int VERSION_BYTES = 8192; // MPI_MAX_LIBRARY_VERSION_STRING is 256 to 8192

  /** Stands for a handle in the list of a call's arguments. */
  private static final ValueLayout.OfLong HANDLE = JAVA_LONG.withName("handle");

  private static final int STATUS_BYTES = 64; // 20 to 32 in the libraries known

  private final Path file;
  private final SymbolLookup symbols;
  private final MpiAbi abi;
  private final String version;
  private final MemorySegment number = Arena.global().allocate(JAVA_INT);
  private final MemorySegment status = Arena.global().allocate(STATUS_BYTES, 8);
  private final MethodHandle isend;
  private final MethodHandle irecv;
  private final MethodHandle test;
  private final MethodHandle getCount;
  private final MethodHandle cancel;

  private MpiLibrary(Path file) {
    this.file = file;
    // Never unloaded: it leaves threads and handlers behind.
    this.symbols = SymbolLookup.libraryLookup(file, Arena.global());
    this.version = askVersion();
    this.abi =
        MpiAbi.openMpi(symbols)
            .or(() -> MpiAbi.of(version, standardAbi()))
            .orElseThrow(
                () ->
                    new InputException(
                        "%s is \"%s\", whose ABI is not known here; name Open MPI, MPICH or a"
                            + " libmpi_abi".formatted(file, version)));
    this.isend = find("MPI_Isend", ADDRESS, JAVA_INT, HANDLE, JAVA_INT, JAVA_INT, HANDLE, ADDRESS);
    this.irecv = find("MPI_Irecv", ADDRESS, JAVA_INT, HANDLE, JAVA_INT, JAVA_INT, HANDLE, ADDRESS);
    this.test = find("MPI_Test", ADDRESS, ADDRESS, ADDRESS);
    this.getCount = find("MPI_Get_count", ADDRESS, HANDLE, ADDRESS);
    this.cancel = find("MPI_Cancel", ADDRESS);
  }

  /**
   * Loads a library, without starting it.
   *
   * @throws InputException if it cannot be loaded or is of no known kind
   */
  static MpiLibrary open(Path file) {
    try {
      return new MpiLibrary(file);
    } catch (IllegalArgumentException | NoSuchElementException e) {
      throw new InputException(file + " cannot be loaded: " + e.getMessage(), e);
    }
  }

  Path file() {
    return file;
  }

  /** The first line of what the library says of itself. */
  String version() {
    return version;
  }

  MpiAbi abi() {
    return abi;
  }

  /** MPI_Init_thread: waits for all ranks that the launcher has started. */
  synchronized void start() {
    MemorySegment none = MemorySegment.NULL;
    call(
        find("MPI_Init_thread", ADDRESS, ADDRESS, JAVA_INT, ADDRESS),
        none,
        none,
        abi.serialized(),
        number);
    int given = number.get(JAVA_INT, 0);
    if (given < abi.serialized()) {
      throw new InputException(
          "%s (%s) allows calls from one thread only (level %d); a build with threads is needed"
              .formatted(file, version, given));
    }
    call(find("MPI_Comm_set_errhandler", HANDLE, HANDLE), abi.world(), abi.returnErrors());
  }

  synchronized int rank() {
    call(find("MPI_Comm_rank", HANDLE, ADDRESS), abi.world(), number);
    return number.get(JAVA_INT, 0);
  }

  synchronized int world() {
    call(find("MPI_Comm_size", HANDLE, ADDRESS), abi.world(), number);
    return number.get(JAVA_INT, 0);
  }

  /** MPI_Finalize: waits for all ranks. */
  synchronized void end() {
    call(find("MPI_Finalize"));
  }

  /**
   * Begins to send; {@code from} must stay until {@link #isDone} of the request.
   *
   * @param request 8 bytes
   */
  synchronized void send(MemorySegment from, int bytes, int to, int tag, MemorySegment request) {
    try {
      check(
          (int) isend.invokeExact(from, bytes, abi.bytes(), to, tag, abi.world(), request), "send");
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("MPI_Isend failed", e);
    }
  }

  /** Begins to receive a message of at most the length of {@code into}. */
  synchronized void receive(MemorySegment into, int from, int tag, MemorySegment request) {
    try {
      int most = Math.toIntExact(into.byteSize());
      check(
          (int) irecv.invokeExact(into, most, abi.bytes(), from, tag, abi.world(), request),
          "receive");
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("MPI_Irecv failed", e);
    }
  }

  /** Whether a send has ended. */
  synchronized boolean isDone(MemorySegment request) {
    try {
      check((int) test.invokeExact(request, number, status), "test");
      return number.get(JAVA_INT, 0) != 0;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("MPI_Test failed", e);
    }
  }

  /** Bytes of the message that has come, or -1. */
  synchronized int received(MemorySegment request) {
    if (!isDone(request)) {
      return -1;
    }
    try {
      check((int) getCount.invokeExact(status, abi.bytes(), number), "count");
      return number.get(JAVA_INT, 0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("MPI_Get_count failed", e);
    }
  }

  /** Gives up a receive for which no message has come. */
  synchronized void cancel(MemorySegment request) {
    call(cancel, request);
    isDone(request);
  }

  private String askVersion() {
    MemorySegment text = Arena.global().allocate(VERSION_BYTES);
    call(find("MPI_Get_library_version", ADDRESS, ADDRESS), text, number);
    return text.getString(0).lines().findFirst().orElse("").strip();
  }

  private int standardAbi() {
    if (symbols.find("MPI_Abi_get_version").isEmpty()) {
      return 0;
    }
    MemorySegment minor = Arena.global().allocate(JAVA_INT);
    call(find("MPI_Abi_get_version", ADDRESS, ADDRESS), number, minor);
    return number.get(JAVA_INT, 0);
  }

  /** A call whose handles are 64 bits for Java, whatever they are for the library. */
  private MethodHandle find(String name, MemoryLayout... arguments) {
    MemoryLayout[] theirs =
        Arrays.stream(arguments)
            .map(a -> a == HANDLE ? abi.handle() : a)
            .toArray(MemoryLayout[]::new);
    MethodHandle raw =
        Linker.nativeLinker()
            .downcallHandle(symbols.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, theirs));
    MethodType ours = FunctionDescriptor.of(JAVA_INT, arguments).toMethodType();
    return MethodHandles.explicitCastArguments(raw, ours);
  }

  private void call(MethodHandle function, Object... arguments) {
    try {
      check((int) function.invokeWithArguments(arguments), "call");
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a call of " + file + " failed", e);
    }
  }

  private void check(int code, String what) {
    if (code != 0) {
      throw new MpiException("MPI %s ended with error %d (%s)".formatted(what, code, version));
    }
  }

  /** The library refused a call, as when a rank is gone. */
  static final class MpiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MpiException(String message) {
      super(message);
    }
  }
}

package dev.sortie.benchmarks.peer;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.sortie.nn.InputException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** OpenBLAS of PyPI's {@code scipy-openblas32}, called in this process. */
public final class OpenBlas {
  private static final int ROW_MAJOR = 101;
  private static final int NO_TRANS = 111;
  private static final int TRANS = 112;

  /** 2^18 cycles are 0.1 ms: longer than the gap between two calls of one sample. */
  private static final int LOG2_CYCLES_BEFORE_SLEEP = 18;

  private final MethodHandle sgemm;
  private final MethodHandle sgemv;
  private final MethodHandle setThreads;
  private final String version;

  private OpenBlas(
      MethodHandle sgemm, MethodHandle sgemv, MethodHandle setThreads, String version) {
    this.sgemm = sgemm;
    this.sgemv = sgemv;
    this.setThreads = setThreads;
    this.version = version;
  }

  /**
   * Loads it. Variables that would change its kernels are taken out of this process's environment
   * first, and its idle threads are told to sleep at once: by default they spin for 26 ms after
   * their last work, on a core that the other side then lacks.
   */
  public static OpenBlas load(Peers peers) {
    Path file = peers.openBlas();
    Linker linker = Linker.nativeLinker();
    Environment environment = new Environment(linker);
    Peers.DISTORTING.forEach(environment::unset);
    environment.set("OPENBLAS_THREAD_TIMEOUT", String.valueOf(LOG2_CYCLES_BEFORE_SLEEP));
    SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
    MethodHandle sgemm =
        linker.downcallHandle(
            symbol(symbols, "scipy_cblas_sgemm", file),
            FunctionDescriptor.ofVoid(
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT,
                ADDRESS,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT));
    MethodHandle sgemv =
        linker.downcallHandle(
            symbol(symbols, "scipy_cblas_sgemv", file),
            FunctionDescriptor.ofVoid(
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT,
                ADDRESS,
                JAVA_INT,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_INT));
    MethodHandle threads =
        linker.downcallHandle(
            symbol(symbols, "scipy_openblas_set_num_threads", file),
            FunctionDescriptor.ofVoid(JAVA_INT));
    MethodHandle config =
        linker.downcallHandle(
            symbol(symbols, "scipy_openblas_get_config", file), FunctionDescriptor.of(ADDRESS));
    return new OpenBlas(sgemm, sgemv, threads, text(config));
  }

  private static MemorySegment symbol(SymbolLookup symbols, String name, Path file) {
    return symbols
        .find(name)
        .orElseThrow(
            () ->
                new InputException(
                    file
                        + " has no "
                        + name
                        + "; run ./sortie bench peers to install its version"));
  }

  private static String text(MethodHandle function) {
    try {
      return ((MemorySegment) function.invokeExact()).reinterpret(1024).getString(0).strip();
    } catch (Throwable e) {
      throw new IllegalStateException("OpenBLAS does not say its version", e);
    }
  }

  /** What it says of itself: version, options, kernel. */
  public String version() {
    return version;
  }

  /** Sets its number of threads. */
  public void threads(int n) {
    try {
      setThreads.invokeExact(n);
    } catch (Throwable e) {
      throw new IllegalStateException("OpenBLAS cannot set its threads", e);
    }
  }

  /**
   * {@code c[m,n] = a[m,k] · op(b)}, {@code op(b)} is {@code [k,n]}, stored as {@code [n,k]} when
   * {@code transB}; F32, row-major. One row goes to {@code sgemv}, as its users would do: {@code
   * sgemm} packs the matrix first and takes up to twice as long.
   */
  public void multiply(
      boolean transB, int m, int n, int k, MemorySegment a, MemorySegment b, MemorySegment c) {
    int ldb = transB ? k : n;
    try {
      if (m == 1) {
        // sgemv knows the matrix by its stored shape
        sgemv.invokeExact(
            ROW_MAJOR, transB ? NO_TRANS : TRANS, transB ? n : k, ldb, 1f, b, ldb, a, 1, 0f, c, 1);
      } else {
        int trans = transB ? TRANS : NO_TRANS;
        sgemm.invokeExact(ROW_MAJOR, NO_TRANS, trans, m, n, k, 1f, a, k, b, ldb, 0f, c, n);
      }
    } catch (Throwable e) {
      throw new IllegalStateException("OpenBLAS failed", e);
    }
  }
}

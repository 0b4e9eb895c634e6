package dev.sortie.benchmarks.peer;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sortie.nn.InputException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/**
 * CLBlast (Debian's {@code libclblast1}) on the first OpenCL device, in a context and queue of its
 * own. Its parameters are those that its database has for the device, unless it is {@link #tune
 * tuned}.
 */
public final class ClBlast {
  private static final String LIBRARY = "libclblast.so.1";
  private static final String OPENCL = "libOpenCL.so.1";
  private static final int ROW_MAJOR = 101;
  private static final int NO_TRANS = 111;
  private static final int TRANS = 112;
  private static final int SINGLE = 32;
  private static final long ALL_DEVICES = 0xFFFFFFFFL;
  private static final long READ_WRITE = 1;
  private static final int BLOCKING = 1;

  private final Arena arena = Arena.global();
  private final Linker linker = Linker.nativeLinker();
  private final SymbolLookup opencl = library(OPENCL, "ocl-icd-libopencl1");
  private final MethodHandle sgemm;
  private final MethodHandle override;
  private final MethodHandle create;
  private final MethodHandle write;
  private final MethodHandle read;
  private final MethodHandle finish;
  private final MethodHandle release;
  private final MemorySegment device;
  private final MemorySegment context;
  private final MemorySegment queue;

  /**
   * Loads it.
   *
   * @throws InputException if it is not installed
   */
  public ClBlast() {
    SymbolLookup clblast = library(LIBRARY, "libclblast1");
    sgemm =
        linker.downcallHandle(
            clblast.findOrThrow("CLBlastSgemm"),
            FunctionDescriptor.of(
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_FLOAT,
                ADDRESS,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                ADDRESS));
    override =
        linker.downcallHandle(
            clblast.findOrThrow("CLBlastOverrideParameters"),
            FunctionDescriptor.of(
                JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS));
    create =
        function(
            "clCreateBuffer",
            FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS));
    FunctionDescriptor copy =
        FunctionDescriptor.of(
            JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_INT, ADDRESS,
            ADDRESS);
    write = function("clEnqueueWriteBuffer", copy);
    read = function("clEnqueueReadBuffer", copy);
    finish = function("clFinish", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    release = function("clReleaseMemObject", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    device = device();
    try {
      context =
          (MemorySegment)
              function(
                      "clCreateContext",
                      FunctionDescriptor.of(
                          ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS))
                  .invoke(NULL, 1, device, NULL, NULL, NULL);
      MethodHandle createQueue =
          function(
              "clCreateCommandQueue",
              FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS));
      MemorySegment made =
          (MemorySegment) createQueue.invoke(context, device.get(ADDRESS, 0), 0L, NULL);
      queue = arena.allocate(ADDRESS);
      queue.set(ADDRESS, 0, made);
    } catch (Throwable e) {
      throw new IllegalStateException("no OpenCL context for CLBlast", e);
    }
  }

  private static final MemorySegment NULL = MemorySegment.NULL;

  private static SymbolLookup library(String name, String debian) {
    try {
      return SymbolLookup.libraryLookup(name, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new InputException(
          name + " cannot be loaded; install it (Debian: apt-get install " + debian + ")", e);
    }
  }

  private MethodHandle function(String name, FunctionDescriptor type) {
    return linker.downcallHandle(opencl.findOrThrow(name), type);
  }

  /** A cell with the first device of the first platform. */
  private MemorySegment device() {
    MemorySegment platform = arena.allocate(ADDRESS);
    MemorySegment device = arena.allocate(ADDRESS);
    try {
      check(
          (int)
              function(
                      "clGetPlatformIDs",
                      FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS))
                  .invoke(1, platform, NULL),
          "clGetPlatformIDs");
      check(
          (int)
              function(
                      "clGetDeviceIDs",
                      FunctionDescriptor.of(
                          JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS))
                  .invoke(platform.get(ADDRESS, 0), ALL_DEVICES, 1, device, NULL),
          "clGetDeviceIDs");
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("OpenCL lists no devices", e);
    }
    return device;
  }

  private static void check(int status, String call) {
    if (status != 0) {
      throw new InputException(call + " failed with " + status + " at the peer");
    }
  }

  /**
   * Sets parameters of a kernel for single precision, as its tuners find them.
   *
   * @param kernel CLBlast's name for it
   */
  public void tune(String kernel, Map<String, Long> parameters) {
    try (Arena call = Arena.ofConfined()) {
      int count = parameters.size();
      MemorySegment names = call.allocate(ADDRESS, count);
      MemorySegment values = call.allocate(JAVA_LONG, count);
      int i = 0;
      for (Map.Entry<String, Long> p : parameters.entrySet()) {
        names.setAtIndex(ADDRESS, i, call.allocateFrom(p.getKey()));
        values.setAtIndex(JAVA_LONG, i++, p.getValue());
      }
      MemorySegment id = device.get(ADDRESS, 0);
      MemorySegment name = call.allocateFrom(kernel);
      int status = (int) override.invoke(id, name, SINGLE, (long) count, names, values);
      check(status, "CLBlastOverrideParameters of " + kernel);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("CLBlast takes no parameters", e);
    }
  }

  /** Takes its direct kernel for all products, or its indirect one, which packs before. */
  public void direct(boolean direct) {
    tune("GemmRoutine", Map.of("XGEMM_MIN_INDIRECT_SIZE", direct ? 1L << 40 : 0L));
  }

  /** A buffer of the device with a copy of {@code host}. */
  public MemorySegment buffer(MemorySegment host) {
    try {
      MemorySegment mem =
          (MemorySegment) create.invoke(context, READ_WRITE, host.byteSize(), NULL, NULL);
      check(
          (int)
              write.invoke(
                  queue.get(ADDRESS, 0), mem, BLOCKING, 0L, host.byteSize(), host, 0, NULL, NULL),
          "clEnqueueWriteBuffer");
      return mem;
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("no OpenCL buffer for CLBlast", e);
    }
  }

  /** Copies a buffer to {@code host}. */
  public void read(MemorySegment mem, MemorySegment host) {
    try {
      check(
          (int)
              read.invoke(
                  queue.get(ADDRESS, 0), mem, BLOCKING, 0L, host.byteSize(), host, 0, NULL, NULL),
          "clEnqueueReadBuffer");
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("CLBlast's result cannot be read", e);
    }
  }

  /** Gives a buffer back. */
  public void release(MemorySegment mem) {
    try {
      check((int) release.invoke(mem), "clReleaseMemObject");
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("an OpenCL buffer cannot be given back", e);
    }
  }

  /** {@code c[m,n] = a[m,k] · b[n,k]ᵀ}, F32, row-major, to its end. */
  public void multiply(int m, int n, int k, MemorySegment a, MemorySegment b, MemorySegment c) {
    try {
      int status =
          (int)
              sgemm.invokeExact(
                  ROW_MAJOR, NO_TRANS, TRANS, (long) m, (long) n, (long) k, 1f, a, 0L, (long) k, b,
                  0L, (long) k, 0f, c, 0L, (long) n, queue, NULL);
      check(status, "CLBlastSgemm");
      check((int) finish.invokeExact(queue.get(ValueLayout.ADDRESS, 0)), "clFinish");
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("CLBlast failed", e);
    }
  }
}

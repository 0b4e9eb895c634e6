package dev.sortie.parallel.comm.algorithm;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.sortie.parallel.comm.ElementType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.KernelSets;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Storage;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** Sums of several runs of elements, in the order given, on the calling thread. */
final class Adder implements AutoCloseable {
  /** Bytes of F32 a block: the partial sums stay in the first-level cache. */
  private static final int BLOCK = 16 << 10;

  private final WorkerPool pool = new WorkerPool(1);
  private final Kernels kernels = KernelSets.choose(pool);

  /**
   * {@code kernels.add}, called through a handle that is no constant, so that it is compiled by
   * itself. Inlined into the loops here C2 gives up on its inner loop: 128 KiB plus 128 KiB in the
   * second-level cache take 6.2 µs instead of 1.6 (Zen 5, 512 bits).
   */
  private final MethodHandle add = handle(kernels);

  private final NativeArena arena = new NativeArena("communicator");
  private final MemorySegment partial = arena.arena().allocate(BLOCK, 64);
  private final Span partialF32 = span(DType.F32, partial);
  private final Span widenedF32 = span(DType.F32, arena.arena().allocate(BLOCK, 64));

  /**
   * {@code to[i] = ((x₀[i] + x₁[i]) + x₂[i]) + …}; each target may be one of the inputs. BF16 is
   * summed in F32 and rounded once.
   *
   * @param inputs at least one
   */
  void sum(ElementType type, MemorySegment[] inputs, MemorySegment... to) {
    if (inputs.length == 1) {
      for (MemorySegment target : to) {
        MemorySegment.copy(inputs[0], 0, target, 0, target.byteSize());
      }
      return;
    }
    Blocks blocks =
        switch (type) {
          case F32 -> floats(inputs, to[0]);
          case BF16 -> halves(inputs, to[0]);
          case I32, I64 -> (at, size) -> integers(type, inputs, at, size, to[0]);
        };
    long bytes = to[0].byteSize();
    long block = type == ElementType.BF16 ? BLOCK / 2 : BLOCK;
    for (long at = 0; at < bytes; at += block) {
      long size = Math.min(block, bytes - at);
      blocks.sum(at, size);
      for (int i = 1; i < to.length; i++) {
        MemorySegment.copy(to[0], at, to[i], at, size);
      }
    }
  }

  /** Sums {@code size} bytes from {@code at} on. */
  private interface Blocks {
    void sum(long at, long size);
  }

  /** Partial sums wait apart: a target may be an input that is still to be read. */
  private Blocks floats(MemorySegment[] inputs, MemorySegment to) {
    Span[] x = spans(DType.F32, inputs);
    Span total = span(DType.F32, to);
    int last = x.length - 1;
    return (at, size) -> {
      long from = at / Float.BYTES;
      long n = size / Float.BYTES;
      Span sum = partialF32.slice(0, n);
      Span left = x[0].slice(from, n);
      for (int i = 1; i <= last; i++) {
        Span result = i == last ? total.slice(from, n) : sum;
        add(left, x[i].slice(from, n), result);
        left = sum;
      }
    };
  }

  private Blocks halves(MemorySegment[] inputs, MemorySegment to) {
    Span[] x = spans(DType.BF16, inputs);
    Span rounded = span(DType.BF16, to);
    return (at, size) -> {
      long from = at / Short.BYTES;
      long n = size / Short.BYTES;
      Span sum = partialF32.slice(0, n);
      Span next = widenedF32.slice(0, n);
      kernels.copy(x[0].slice(from, n), sum);
      for (int i = 1; i < x.length; i++) {
        kernels.copy(x[i].slice(from, n), next);
        add(sum, next, sum);
      }
      kernels.copy(sum, rounded.slice(from, n));
    };
  }

  private void add(Span x, Span y, Span z) {
    try {
      add.invokeExact(x, y, z);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a kernel declares no exception", e);
    }
  }

  private static MethodHandle handle(Kernels kernels) {
    MethodType type = MethodType.methodType(void.class, Span.class, Span.class, Span.class);
    try {
      return MethodHandles.lookup().findVirtual(Kernels.class, "add", type).bindTo(kernels);
    } catch (NoSuchMethodException | IllegalAccessException e) {
      throw new IllegalStateException("kernels have add", e);
    }
  }

  private void integers(
      ElementType type, MemorySegment[] inputs, long at, long size, MemorySegment to) {
    int last = inputs.length - 1;
    MemorySegment sum = partial.asSlice(0, size);
    MemorySegment left = inputs[0].asSlice(at, size);
    for (int i = 1; i <= last; i++) {
      MemorySegment result = i == last ? to.asSlice(at, size) : sum;
      MemorySegment right = inputs[i].asSlice(at, size);
      if (type == ElementType.I32) {
        add32(left, right, result);
      } else {
        add64(left, right, result);
      }
      left = sum;
    }
  }

  private static void add32(MemorySegment x, MemorySegment y, MemorySegment z) {
    for (long i = 0; i < z.byteSize(); i += 4) {
      z.set(JAVA_INT_UNALIGNED, i, x.get(JAVA_INT_UNALIGNED, i) + y.get(JAVA_INT_UNALIGNED, i));
    }
  }

  private static void add64(MemorySegment x, MemorySegment y, MemorySegment z) {
    for (long i = 0; i < z.byteSize(); i += 8) {
      z.set(JAVA_LONG_UNALIGNED, i, x.get(JAVA_LONG_UNALIGNED, i) + y.get(JAVA_LONG_UNALIGNED, i));
    }
  }

  private static Span[] spans(DType type, MemorySegment[] memory) {
    Span[] spans = new Span[memory.length];
    for (int i = 0; i < spans.length; i++) {
      spans[i] = span(type, memory[i]);
    }
    return spans;
  }

  private static Span span(DType type, MemorySegment memory) {
    return Storage.borrowed(type, memory.byteSize() / type.bytes(), memory).span();
  }

  @Override
  public void close() {
    arena.close();
    pool.close();
  }
}

package dev.sortie.parallel.comm.algorithm;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.sortie.parallel.comm.ElementType;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.KernelSets;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;

/** Sums of several runs of elements, in the order given, on the calling thread. */
final class Adder implements AutoCloseable {
  /** Bytes of F32 a block: the partial sums stay in the first-level cache. */
  private static final int BLOCK = 16 << 10;

  private final WorkerPool pool = new WorkerPool(1);
  private final Kernels kernels = KernelSets.choose(pool);
  private final NativeArena arena = new NativeArena("communicator");
  private final MemorySegment partial = arena.arena().allocate(BLOCK, 64);
  private final MemorySegment widened = arena.arena().allocate(BLOCK, 64);

  /**
   * {@code to[i] = ((x₀[i] + x₁[i]) + x₂[i]) + …}; each target may be one of the inputs. BF16 is
   * summed in F32 and rounded once.
   *
   * @param inputs at least one
   */
  void sum(ElementType type, MemorySegment[] inputs, MemorySegment... to) {
    long bytes = to[0].byteSize();
    long block = type == ElementType.BF16 ? BLOCK / 2 : BLOCK;
    for (long at = 0; at < bytes; at += block) {
      long size = Math.min(block, bytes - at);
      if (type == ElementType.BF16) {
        sumBf16(inputs, at, size, to[0]);
      } else {
        sumBlock(type, inputs, at, size, to[0]);
      }
      for (int i = 1; i < to.length; i++) {
        MemorySegment.copy(to[0], at, to[i], at, size);
      }
    }
  }

  /** Partial sums wait apart: a target may be an input that is still to be read. */
  private void sumBlock(
      ElementType type, MemorySegment[] inputs, long at, long size, MemorySegment to) {
    int last = inputs.length - 1;
    if (last == 0) {
      MemorySegment.copy(inputs[0], at, to, at, size);
      return;
    }
    MemorySegment sum = partial.asSlice(0, size);
    MemorySegment left = inputs[0].asSlice(at, size);
    for (int i = 1; i <= last; i++) {
      MemorySegment result = i == last ? to.asSlice(at, size) : sum;
      add(type, left, inputs[i].asSlice(at, size), result);
      left = sum;
    }
  }

  private void add(ElementType type, MemorySegment x, MemorySegment y, MemorySegment z) {
    switch (type) {
      case F32 -> kernels.add(span(DType.F32, x), span(DType.F32, y), span(DType.F32, z));
      case I32 -> {
        for (long i = 0; i < z.byteSize(); i += 4) {
          z.set(JAVA_INT_UNALIGNED, i, x.get(JAVA_INT_UNALIGNED, i) + y.get(JAVA_INT_UNALIGNED, i));
        }
      }
      case I64 -> {
        for (long i = 0; i < z.byteSize(); i += 8) {
          z.set(
              JAVA_LONG_UNALIGNED,
              i,
              x.get(JAVA_LONG_UNALIGNED, i) + y.get(JAVA_LONG_UNALIGNED, i));
        }
      }
      case BF16 -> throw new IllegalStateException("BF16 is summed in F32");
    }
  }

  private void sumBf16(MemorySegment[] inputs, long at, long size, MemorySegment to) {
    Span sum = span(DType.F32, partial.asSlice(0, 2 * size));
    Span next = span(DType.F32, widened.asSlice(0, 2 * size));
    kernels.copy(span(DType.BF16, inputs[0].asSlice(at, size)), sum);
    for (int i = 1; i < inputs.length; i++) {
      kernels.copy(span(DType.BF16, inputs[i].asSlice(at, size)), next);
      kernels.add(sum, next, sum);
    }
    kernels.copy(sum, span(DType.BF16, to.asSlice(at, size)));
  }

  private Span span(DType type, MemorySegment memory) {
    long elements = memory.byteSize() / type.bytes();
    return arena.wrap(type, elements, memory).span();
  }

  @Override
  public void close() {
    arena.close();
    pool.close();
  }
}

package dev.sortie.opencl;

import static org.jocl.CL.clSetKernelArg;

import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.memory.Span;
import org.jocl.Pointer;
import org.jocl.Sizeof;
import org.jocl.cl_kernel;
import org.jocl.cl_mem;

/**
 * One call of a kernel: its arguments in order, then its run. Spans become a buffer and an offset
 * in elements; name those that are read before those that are written, which may be the same.
 */
final class Launch {
  private final ClSession session;
  private final ClMemory memory;
  private final cl_kernel kernel;
  private final int local;
  private final int group;
  private int index;

  /**
   * A call.
   *
   * @param local work-items of a group where each has elements of its own
   * @param group work-items that share a row
   */
  Launch(ClSession session, ClMemory memory, cl_kernel kernel, int local, int group) {
    this.session = session;
    this.memory = memory;
    this.kernel = kernel;
    this.local = local;
    this.group = group;
  }

  /** A span that is read. */
  Launch in(Span span) {
    return buffer(memory.read(span)).arg(start(span));
  }

  /** A span that is read and changed. */
  Launch update(Span span) {
    return buffer(memory.update(span)).arg(start(span));
  }

  /** A span of which every element is set. */
  Launch out(Span span) {
    return buffer(memory.write(span)).arg(start(span));
  }

  /** A span whose first {@code count} elements are all set. */
  Launch out(Span span, long count) {
    return out(span.slice(0, count));
  }

  /** A weight: a buffer and an offset in bytes. */
  Launch bytes(Span span) {
    return buffer(memory.read(span))
        .arg(span.storage().blockOffset() + span.dtype().bytes(span.offset()));
  }

  /** A span that may be missing, and 1 or 0 for whether it is there. */
  Launch optional(Span span, Span other) {
    return in(span == null ? other : span).arg(span == null ? 0 : 1);
  }

  private static long start(Span span) {
    return span.storage().blockOffset() / span.dtype().bytes() + span.offset();
  }

  Launch buffer(cl_mem mem) {
    clSetKernelArg(kernel, index++, Sizeof.cl_mem, Pointer.to(mem));
    return this;
  }

  Launch arg(int value) {
    clSetKernelArg(kernel, index++, Sizeof.cl_int, Pointer.to(new int[] {value}));
    return this;
  }

  Launch arg(long value) {
    clSetKernelArg(kernel, index++, Sizeof.cl_long, Pointer.to(new long[] {value}));
    return this;
  }

  /** What all kernels of attention take: scratch memory, the first row and the shape. */
  Launch rows(cl_mem scratch, long first, AttentionShape s) {
    buffer(scratch).arg(first).arg(s.queries()).arg(s.keys());
    return heads(s).arg(s.window());
  }

  /** Heads, their size, and the factor of their scores. */
  Launch heads(AttentionShape s) {
    return arg(s.heads()).arg(s.kvHeads()).arg(s.headSize()).arg((float) s.scale());
  }

  /** A vector of 16, whose elements are those of the array. */
  Launch vector(long[] values) {
    clSetKernelArg(kernel, index++, (long) values.length * Sizeof.cl_long, Pointer.to(values));
    return this;
  }

  /** A vector of 16, whose elements are those of the array. */
  Launch vector(int[] values) {
    clSetKernelArg(kernel, index++, (long) values.length * Sizeof.cl_int, Pointer.to(values));
    return this;
  }

  Launch arg(float value) {
    clSetKernelArg(kernel, index++, Sizeof.cl_float, Pointer.to(new float[] {value}));
    return this;
  }

  /** One work-item for each of {@code count}; the last group has more than are needed. */
  void items(long count) {
    long whole = (count + local - 1) / local * local;
    session.run(kernel, new long[] {whole}, new long[] {local});
  }

  /** {@code count} groups of as many work-items as share a row. */
  void groups(long count) {
    session.run(kernel, new long[] {count * group}, new long[] {group});
  }

  /** Work-items in two dims, in groups that the driver chooses. */
  void grid(long x, long y) {
    session.run(kernel, new long[] {x, y}, new long[] {1, 1});
  }

  /** {@code x} by {@code y} groups of {@code sizeX} by {@code sizeY} work-items. */
  void tiles(long x, long y, int sizeX, int sizeY) {
    session.run(kernel, new long[] {x * sizeX, y * sizeY}, new long[] {sizeX, sizeY});
  }
}

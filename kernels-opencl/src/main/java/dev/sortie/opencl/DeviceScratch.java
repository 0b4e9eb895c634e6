package dev.sortie.opencl;

import org.jocl.cl_mem;

/**
 * Memory of the device for what a kernel leaves to the next one, such as packed panels. One piece,
 * used again and again: the queue is in order.
 */
final class DeviceScratch {
  /** Bytes that a use should keep to by working in pieces. */
  static final long BUDGET = 32L << 20;

  private final ClSession session;
  private cl_mem memory;
  private long size;

  DeviceScratch(ClSession session) {
    this.session = session;
  }

  /** At least {@code bytes}. */
  cl_mem of(long bytes) {
    if (memory == null || size < bytes) {
      if (memory != null) {
        session.release(memory);
        memory = null; // no longer there, even if the device has no room for the next
      }
      size = Math.max(bytes, 1 << 20);
      memory = session.allocate(size);
    }
    return memory;
  }
}

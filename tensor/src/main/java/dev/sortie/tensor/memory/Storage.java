package dev.sortie.tensor.memory;

import dev.sortie.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Off-heap memory for {@code length} elements of one type, valid while its scope is open.
 * Little-endian, 64-byte aligned where we allocate it.
 */
public final class Storage {
  private final DType dtype;
  private final long length;
  private final MemorySegment segment;
  private final long address;
  private final Scope scope;

  Storage(DType dtype, long length, MemorySegment segment, Scope scope) {
    if (!segment.isNative() || segment.byteSize() < dtype.bytes(length)) {
      throw new IllegalArgumentException(
          "storage of "
              + length
              + " "
              + dtype
              + " needs native memory of "
              + dtype.bytes(length)
              + " bytes, got "
              + segment.byteSize());
    }
    this.dtype = dtype;
    this.length = length;
    this.segment = segment;
    this.address = segment.address();
    this.scope = scope;
  }

  /** The element type. */
  public DType dtype() {
    return dtype;
  }

  /** Number of elements. */
  public long length() {
    return length;
  }

  /** The memory; fails if the scope is closed. */
  public MemorySegment segment() {
    scope.check();
    return segment;
  }

  /** Address of the first byte; fails if the scope is closed. */
  public long address() {
    scope.check();
    return address;
  }

  /** The lifetime of this memory. */
  public Scope scope() {
    return scope;
  }

  /** All of it as one span. */
  public Span span() {
    return new Span(this, 0, length);
  }

  /** Elements {@code [offset, offset + length)}. */
  public Span span(long offset, long length) {
    Objects.checkFromIndexSize(offset, length, this.length);
    return new Span(this, offset, length);
  }
}

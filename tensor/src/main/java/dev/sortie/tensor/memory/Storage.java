package dev.sortie.tensor.memory;

import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Off-heap memory for {@code length} elements of one type, valid while its scope is open.
 * Little-endian, 64-byte aligned where we allocate it.
 */
public final class Storage {
  /** The scope of storages that live for one call. */
  private static final Scope HANDED_OVER = new Scope("call");

  private final DType dtype;
  private final long length;
  private final MemorySegment segment;
  private final long address;
  private final Scope scope;
  private final Block block;

  /** What the device of the block knows about this storage. */
  private volatile Object residence;

  /** A storage that is all of a piece of memory of its own. */
  Storage(DType dtype, long length, MemorySegment segment, Scope scope) {
    this(dtype, length, segment, scope, new Block(segment, scope::watch));
  }

  /**
   * Memory that someone else owns and keeps while this storage is used. No arena knows of it, so it
   * may be made for each call: {@link NativeArena#wrap} keeps what it makes until it is closed.
   *
   * @throws IllegalArgumentException if the memory is too small or on the heap
   */
  public static Storage borrowed(DType dtype, long length, MemorySegment segment) {
    Runnable refusal =
        () -> {
          throw new IllegalStateException("a device cannot keep memory that was lent for a call");
        };
    return new Storage(dtype, length, segment, HANDED_OVER, new Block(segment, refusal));
  }

  /** A storage in {@code segment}, which is a part of {@code block}. */
  Storage(DType dtype, long length, MemorySegment segment, Scope scope, Block block) {
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
    this.block = block;
  }

  /** The element type. */
  public DType dtype() {
    return dtype;
  }

  /** Number of elements. */
  public long length() {
    return length;
  }

  /**
   * The memory, for reading and writing; fails if the scope is closed. Where a device has newer
   * contents, they are fetched, and what it holds no longer counts.
   */
  public MemorySegment segment() {
    if (!scope.isQuiet()) {
      ask(true);
    }
    return segment;
  }

  /**
   * The memory, for reading only: a device that holds the same contents may continue to use them.
   */
  public MemorySegment readOnly() {
    return reading().asReadOnly();
  }

  /** The memory, which the caller does not change. */
  MemorySegment reading() {
    if (!scope.isQuiet()) {
      ask(false);
    }
    return segment;
  }

  /** Whether the memory can only be read, as that of a file mapped for reading. */
  public boolean isReadOnly() {
    return segment.isReadOnly();
  }

  /** Address of the first byte, for reading and writing as {@link #segment}. */
  public long address() {
    if (!scope.isQuiet()) {
      ask(true);
    }
    return address;
  }

  /** The cold half of every access. */
  private void ask(boolean writes) {
    scope.check();
    DeviceMemory device = block.device();
    if (device != null) {
      device.beforeHost(this, writes);
    }
  }

  /** The piece of memory in which this storage lies. */
  public Block block() {
    return block;
  }

  /** First byte in the block. */
  public long blockOffset() {
    return address - block.segment().address();
  }

  /** What the device of the block has noted about this storage; null if nothing. */
  public Object residence() {
    return residence;
  }

  /** Notes something. For the device of the block only. */
  public void residence(Object note) {
    residence = note;
  }

  /**
   * The same memory, about which no device is asked: for a host kernel whose operands the device
   * has already handed over.
   */
  public Storage handedOver() {
    scope.check();
    return new Storage(dtype, length, segment, HANDED_OVER, block);
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

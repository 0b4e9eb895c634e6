package dev.sortie.tensor.memory;

import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Long-lived memory: the parameters of a model, optimiser state, a KV cache. All is freed together
 * by {@link #close}.
 */
public final class NativeArena implements Allocator, AutoCloseable {
  private static final long ALIGN = 64;
  private static final long RESERVED = 64L << 20;

  private final Arena arena = Arena.ofShared();
  private final Scope scope;
  private final boolean reserves;
  private final List<Block> blocks = new ArrayList<>();
  private long bytes;

  /** What is left of the last block that small allocations are cut from, if they are. */
  private MemorySegment rest = MemorySegment.NULL;

  /** An arena; {@code name} is used in messages, such as "model". */
  public NativeArena(String name) {
    this(name, false);
  }

  private NativeArena(String name, boolean reserves) {
    this.scope = new Scope(name);
    this.reserves = reserves && HugePages.offered();
  }

  /**
   * An arena whose small allocations share large blocks, and so huge pages. Where the OS fills
   * pages at their first use, an allocation of any size takes address space alone until then.
   * Elsewhere small allocations are made as in any arena.
   */
  public static NativeArena reserving(String name) {
    return new NativeArena(name, true);
  }

  @Override
  public synchronized Storage allocate(DType dtype, long length) {
    scope.check();
    long size = dtype.bytes(length);
    bytes += size;
    return storage(dtype, length, reserves ? reserve(size) : HugePages.allocate(arena, size));
  }

  private MemorySegment reserve(long size) {
    long room = Math.ceilDiv(Math.max(size, 1), ALIGN) * ALIGN;
    if (rest.byteSize() < room) {
      MemorySegment block = HugePages.allocate(arena, Math.max(room, RESERVED));
      if (room >= RESERVED) {
        return block;
      }
      rest = block;
    }
    MemorySegment segment = rest.asSlice(0, room);
    rest = rest.asSlice(room);
    return segment;
  }

  private Storage storage(DType dtype, long length, MemorySegment segment) {
    Storage storage = new Storage(dtype, length, segment, scope);
    blocks.add(storage.block());
    return storage;
  }

  /**
   * Wraps memory that someone else owns, such as a mapped file; valid while both this arena and the
   * owner are open.
   */
  public synchronized Storage wrap(DType dtype, long length, MemorySegment segment) {
    scope.check();
    return storage(dtype, length, segment);
  }

  /** The JDK arena, for mapping files with this lifetime. */
  public Arena arena() {
    scope.check();
    return arena;
  }

  /**
   * Allocates what belongs together, for a constructor whose object nobody could close: if that
   * fails, such as for want of memory, this arena is closed.
   */
  public <T> T orClose(Supplier<T> allocation) {
    try {
      return allocation.get();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Bytes allocated so far. */
  public synchronized long bytes() {
    return bytes;
  }

  /** Whether large allocations are asked for in huge pages here. */
  public static boolean hugePagesOffered() {
    return HugePages.offered();
  }

  /** Frees all. No kernel may be reading or writing it at that time, in whatever thread. */
  @Override
  public synchronized void close() {
    if (scope.isOpen()) {
      scope.close();
      blocks.forEach(Block::free);
      arena.close();
    }
  }
}

package dev.sortie.tensor.memory;

import dev.sortie.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Long-lived memory: the parameters of a model, optimiser state, a KV cache. All is freed together
 * by {@link #close}.
 */
public final class NativeArena implements Allocator, AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Scope scope;
  private final List<Block> blocks = new ArrayList<>();
  private long bytes;

  /** An arena; {@code name} is used in messages, such as "model". */
  public NativeArena(String name) {
    this.scope = new Scope(name);
  }

  @Override
  public synchronized Storage allocate(DType dtype, long length) {
    scope.check();
    long size = dtype.bytes(length);
    bytes += size;
    return storage(dtype, length, HugePages.allocate(arena, size));
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

  /** Bytes allocated so far. */
  public synchronized long bytes() {
    return bytes;
  }

  /** Whether large allocations are asked for in huge pages here. */
  public static boolean hugePagesOffered() {
    return HugePages.offered();
  }

  @Override
  public synchronized void close() {
    if (scope.isOpen()) {
      scope.close();
      blocks.forEach(Block::free);
      arena.close();
    }
  }
}

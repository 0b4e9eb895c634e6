package dev.sortie.tensor.memory;

import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Stack-like memory for the temporaries of one step. Marks nest: closing a {@link Mark} gives back
 * everything allocated since it was opened, for reuse, and makes the tensors that lived there fail
 * on use. The chunks themselves are kept until the workspace is closed, so a steady loop allocates
 * nothing. Contents are <em>not</em> zeroed. Not thread-safe: one workspace belongs to one thread.
 */
public final class Workspace implements Allocator, AutoCloseable {
  private static final long ALIGN = 64;
  private static final long MIN_CHUNK = 16L << 20;

  private final Arena arena = Arena.ofShared();
  private final List<Block> chunks = new ArrayList<>();
  private int chunk;
  private long used;
  private Mark top;
  private long live;
  private long peak;
  private boolean watched;

  /** An empty workspace, with its outermost mark open. */
  public Workspace() {
    top = new Mark(null);
  }

  @Override
  public Storage allocate(DType dtype, long length) {
    top.scope.check();
    long size = Math.max(ALIGN, (dtype.bytes(length) + ALIGN - 1) / ALIGN * ALIGN);
    while (chunk < chunks.size() && used + size > chunks.get(chunk).segment().byteSize()) {
      chunk++;
      used = 0;
    }
    if (chunk == chunks.size()) {
      long most = Math.max(size, Math.max(MIN_CHUNK, reserved() / 2));
      chunks.add(new Block(HugePages.allocate(arena, most), this::watch));
      used = 0;
    }
    Block block = chunks.get(chunk);
    MemorySegment memory = block.segment().asSlice(used, size);
    used += size;
    live += size;
    peak = Math.max(peak, live);
    return new Storage(dtype, length, memory, top.scope, block);
  }

  private void watch() {
    watched = true;
    for (Mark m = top; m != null; m = m.parent) {
      m.scope.watch();
    }
  }

  /** Opens a nested mark. */
  public Mark mark() {
    top.scope.check();
    top = new Mark(top);
    return top;
  }

  /** Gives back everything allocated in the outermost mark. Fails if nested marks are open. */
  public void reset() {
    top.scope.check();
    if (top.parent != null) {
      throw new IllegalStateException("workspace reset while a nested mark is open");
    }
    top.scope.close();
    chunk = 0;
    used = 0;
    live = 0;
    top = new Mark(null);
  }

  /** Bytes held from the OS. */
  public long reserved() {
    return chunks.stream().mapToLong(b -> b.segment().byteSize()).sum();
  }

  /** Largest number of bytes in use at one time. */
  public long peak() {
    return peak;
  }

  @Override
  public void close() {
    if (!top.scope.isOpen()) {
      return;
    }
    for (Mark m = top; m != null; m = m.parent) {
      m.scope.close();
    }
    chunks.forEach(Block::free);
    arena.close();
  }

  /** A point to return to. Close in reverse order of opening. */
  public final class Mark implements AutoCloseable {
    private final Mark parent;
    private final Scope scope = new Scope("workspace mark");
    private final int startChunk = chunk;
    private final long startUsed = used;
    private final long startLive = live;

    private Mark(Mark parent) {
      this.parent = parent;
      if (watched) {
        scope.watch();
      }
    }

    @Override
    public void close() {
      if (top != this || parent == null) {
        throw new IllegalStateException(
            "workspace marks must be closed in reverse order of opening");
      }
      scope.close();
      chunk = startChunk;
      used = startUsed;
      live = startLive;
      top = parent;
    }
  }
}

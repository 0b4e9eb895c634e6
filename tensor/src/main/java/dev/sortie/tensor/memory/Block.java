package dev.sortie.tensor.memory;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory taken in one piece, in which storages lie one after the other or again and again. A device
 * that works on it is asked before the host touches it, and told before it is freed.
 */
public final class Block {
  private final MemorySegment segment;
  private final Runnable watch;
  private final List<Runnable> onFree = new ArrayList<>();
  private volatile DeviceMemory device;

  /**
   * A block.
   *
   * @param watch makes the storages in it ask
   */
  Block(MemorySegment segment, Runnable watch) {
    this.segment = segment;
    this.watch = watch;
  }

  /** All of it. Using it while the owner is closed fails. */
  public MemorySegment segment() {
    return segment;
  }

  /** The device that works on it, or null. */
  public DeviceMemory device() {
    return device;
  }

  /**
   * From now on {@code owner} is asked before the host touches a storage of this block.
   *
   * @param release run before the memory is freed
   */
  public synchronized void attach(DeviceMemory owner, Runnable release) {
    device = owner;
    watch.run();
    onFree.add(release);
  }

  synchronized void free() {
    onFree.forEach(Runnable::run);
    onFree.clear();
  }
}

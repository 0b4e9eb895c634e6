package dev.sortie.tensor.memory;

/**
 * The lifetime that a storage belongs to. Once closed, every access through it fails with a clear
 * exception.
 */
public final class Scope {
  private static final int OPEN = 0;
  private static final int WATCHED = 1;
  private static final int CLOSED = 2;

  private final String name;

  /**
   * One field for both questions that each access asks: kernels are at the limit of what the
   * compiler inlines, and a second volatile read in {@link Storage#segment} made all of them
   * allocate.
   */
  private volatile int state;

  Scope(String name) {
    this.name = name;
  }

  /** Whether memory of this scope may still be used. */
  public boolean isOpen() {
    return state != CLOSED;
  }

  /** Fails if the scope is closed. */
  public void check() {
    if (state == CLOSED) {
      throw new IllegalStateException("tensor used after its " + name + " was closed");
    }
  }

  /** Whether the scope is open and no device works on memory of it. */
  boolean isQuiet() {
    return state == OPEN;
  }

  /** From now on storages ask the device of their block. */
  void watch() {
    if (state == OPEN) {
      state = WATCHED;
    }
  }

  void close() {
    state = CLOSED;
  }
}

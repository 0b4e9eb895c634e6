package dev.sortie.tensor.memory;

/**
 * The lifetime that a storage belongs to. Once closed, every access through it fails with a clear
 * exception.
 */
public final class Scope {
  private final String name;
  private volatile boolean open = true;

  Scope(String name) {
    this.name = name;
  }

  /** Whether memory of this scope may still be used. */
  public boolean isOpen() {
    return open;
  }

  /** Fails if the scope is closed. */
  public void check() {
    if (!open) {
      throw new IllegalStateException("tensor used after its " + name + " was closed");
    }
  }

  void close() {
    open = false;
  }
}

package dev.sortie.eetuning.decode.grammar;

import java.util.Arrays;

/**
 * A set of stacks of states. Stacks that have the same state on top share the set of what is below
 * it, and equal sets are one object ({@link Configurations}), so that a set of very many stacks may
 * be small. The set of stacks that a text so far may have is its configuration: states on top read
 * a byte, and the empty stack means that the text may end here.
 */
final class Stacks {
  private final boolean hasEmpty;
  private final int[] tops;
  private final Stacks[] below;
  private final int hash;
  private final int depth;

  /** By class of byte; null where it is not known yet. */
  private Stacks[] next;

  private TokenMask mask;

  /**
   * @param hasEmpty whether the empty stack is one of them
   * @param tops rising
   * @param below what is below each of them
   */
  Stacks(boolean hasEmpty, int[] tops, Stacks[] below) {
    this.hasEmpty = hasEmpty;
    this.tops = tops;
    this.below = below;
    int code = Boolean.hashCode(hasEmpty);
    int deepest = 0;
    for (int i = 0; i < tops.length; i++) {
      code = 31 * (31 * code + tops[i]) + System.identityHashCode(below[i]);
      deepest = Math.max(deepest, 1 + below[i].depth);
    }
    this.hash = code;
    this.depth = deepest;
  }

  boolean hasEmpty() {
    return hasEmpty;
  }

  int count() {
    return tops.length;
  }

  int top(int i) {
    return tops[i];
  }

  Stacks below(int i) {
    return below[i];
  }

  /** Frames of the highest of them. */
  int depth() {
    return depth;
  }

  /** Whether there is none. */
  boolean isDead() {
    return !hasEmpty && tops.length == 0;
  }

  Stacks[] next(int classes) {
    next = next == null ? new Stacks[classes] : next;
    return next;
  }

  TokenMask mask() {
    return mask;
  }

  void setMask(TokenMask known) {
    mask = known;
  }

  /** Forgets what was found out about it. */
  void forget() {
    next = null;
    mask = null;
  }

  @Override
  public boolean equals(Object o) {
    if (!(o instanceof Stacks s)
        || s.hash != hash
        || s.hasEmpty != hasEmpty
        || !Arrays.equals(s.tops, tops)) {
      return false;
    }
    for (int i = 0; i < below.length; i++) {
      if (s.below[i] != below[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}

package dev.sortie.parallel.comm.algorithm;

import java.lang.foreign.MemorySegment;

/**
 * Makes a power of two of any p: with q the largest power of two in p and r = p − q, the members 0,
 * 2, …, 2r−2 give their data to the one after them and wait for the result. The q that are left
 * count as 0 … q−1.
 */
final class Folding {
  private final CollectiveContext context;
  private final int folded;

  Folding(CollectiveContext context) {
    this.context = context;
    this.folded = context.size() - Integer.highestOneBit(context.size());
  }

  /** Members that work. */
  int active() {
    return context.size() - folded;
  }

  /** Whether this member gave its data away. */
  boolean isFolded() {
    return context.position() < 2 * folded && context.position() % 2 == 0;
  }

  /** The number of this member among the active ones. */
  int number() {
    int position = context.position();
    return position < 2 * folded ? position / 2 : position - folded;
  }

  /** The position of an active member. */
  int position(int number) {
    return number < folded ? 2 * number + 1 : number + folded;
  }

  /** Adds the data of the folded members to their partners'. */
  void before(MemorySegment data, MemorySegment scratch) {
    int position = context.position();
    if (isFolded()) {
      context.send(position + 1, data);
    } else if (position < 2 * folded) {
      MemorySegment coming = scratch.asSlice(0, data.byteSize());
      context.receive(position - 1, coming);
      context.addBefore(coming, data);
    }
  }

  /** Gives the result to the folded members. */
  void after(MemorySegment data) {
    int position = context.position();
    if (isFolded()) {
      context.receive(position + 1, data);
    } else if (position < 2 * folded) {
      context.send(position - 1, data);
    }
  }
}

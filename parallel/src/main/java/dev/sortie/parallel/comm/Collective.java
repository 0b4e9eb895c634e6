package dev.sortie.parallel.comm;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A call as data: all members of a group make the same calls in the same order. {@code root} and
 * other peers are positions in the group.
 */
public sealed interface Collective {

  /** What kind of call this is. */
  default Operation operation() {
    return switch (this) {
      case Broadcast _ -> Operation.BROADCAST;
      case AllReduce _ -> Operation.ALL_REDUCE;
      case ReduceScatter _ -> Operation.REDUCE_SCATTER;
      case AllGather _ -> Operation.ALL_GATHER;
      case Barrier _ -> Operation.BARRIER;
    };
  }

  /** The elements whose type and count all members must agree on. */
  Elements agreed();

  /** Type of the elements. */
  default ElementType type() {
    return agreed().type();
  }

  /** The count that all members must agree on, in elements. */
  default long count() {
    return agreed().count();
  }

  /** The root, or -1 where there is none. */
  default int root() {
    return -1;
  }

  /** The order of summation; {@link Order#ASCENDING} for calls that add nothing. */
  default Order order() {
    return Order.ASCENDING;
  }

  /**
   * Refuses what can be seen to be wrong without asking the other members.
   *
   * @throws IllegalArgumentException if it does not fit a group of {@code size}
   */
  default void check(int size) {
    switch (this) {
      case Broadcast b -> {
        if (b.root < 0 || b.root >= size) {
          throw new IllegalArgumentException(
              "%s: the root must be a position in [0, %d), got %d"
                  .formatted(operation().label(), size, b.root));
        }
      }
      case ReduceScatter r -> checkParts(r.all, r.mine, size);
      case AllGather g -> checkParts(g.all, g.mine, size);
      case AllReduce _, Barrier _ -> {}
    }
  }

  private void checkParts(Elements all, Elements mine, int size) {
    if (all.count() != mine.count() * size) {
      throw new IllegalArgumentException(
          "%s among %d members needs %d × %d elements, got %d and %d"
              .formatted(operation().label(), size, size, mine.count(), all.count(), mine.count()));
    }
  }

  /** Everyone's {@code data} becomes the root's. */
  record Broadcast(Elements data, int root) implements Collective {
    @Override
    public Elements agreed() {
      return data;
    }
  }

  /** Everyone's {@code data} becomes the sum of all. */
  record AllReduce(Elements data, Order order) implements Collective {
    public AllReduce {
      writable(data);
    }

    @Override
    public Elements agreed() {
      return data;
    }
  }

  /**
   * {@code mine} becomes this member's part of the sum: with C elements in {@code mine}, {@code
   * all} has C for each member, and member i gets the sum of elements {@code [i·C, (i+1)·C)}.
   * {@code all} is left as it is.
   */
  record ReduceScatter(Elements all, Elements mine, Order order) implements Collective {
    public ReduceScatter {
      sameType(all, mine);
      writable(mine);
    }

    @Override
    public Elements agreed() {
      return mine;
    }
  }

  /** {@code all} becomes what the members have in {@code mine}, by position. */
  record AllGather(Elements mine, Elements all) implements Collective {
    public AllGather {
      sameType(all, mine);
      writable(all);
    }

    @Override
    public Elements agreed() {
      return mine;
    }
  }

  /** Ends on each member after it has begun on all. */
  record Barrier() implements Collective {
    private static final Elements NOTHING =
        new Elements(ElementType.I32, MemorySegment.NULL.asSlice(0, 0));

    @Override
    public Elements agreed() {
      return NOTHING;
    }
  }

  private static void writable(Elements written) {
    if (written.memory().isReadOnly()) {
      throw new IllegalArgumentException(
          "a run that a collective writes lies in memory that can only be read; copy it first");
    }
  }

  private static void sameType(Elements one, Elements other) {
    if (Objects.requireNonNull(one).type() != Objects.requireNonNull(other).type()) {
      throw new IllegalArgumentException(
          "both runs must have one type, got " + one.type() + " and " + other.type());
    }
  }
}

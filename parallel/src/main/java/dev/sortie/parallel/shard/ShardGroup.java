package dev.sortie.parallel.shard;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;

import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;

/**
 * The ranks that hold the shards of the same tensors, and their collectives on spans. All sums
 * ascend by position, so that every rank gets the same bits, each time.
 *
 * <p>F64 is there for gradient checks: transports know no such type, so its elements travel as
 * 64-bit integers to everyone, who adds them up in the same order.
 *
 * @param communicator of these ranks
 */
public record ShardGroup(Communicator communicator) {

  /** This rank's position. */
  public int position() {
    return communicator.position();
  }

  /** Number of ranks. */
  public int size() {
    return communicator.size();
  }

  /** This rank's part of {@code total} things. */
  public ShardRange range(long total) {
    return ShardRange.of(total, size(), position());
  }

  /** {@code x} becomes the sum of all ranks' {@code x}. */
  void allReduce(Span x) {
    if (size() == 1) {
      return;
    }
    if (x.dtype() != DType.F64) {
      communicator.allReduce(Elements.of(x));
      return;
    }
    gathered(x, (rank, all) -> addDoubles(all, rank * x.bytes(), x.segment(), rank == 0));
  }

  /** {@code all} becomes every rank's {@code mine}, by position. */
  void allGather(Span mine, Span all) {
    communicator.allGather(elements(mine), elements(all));
  }

  /** {@code mine} becomes this rank's part of the sum of {@code all}. */
  void reduceScatter(Span all, Span mine) {
    if (all.dtype() != DType.F64) {
      communicator.reduceScatter(Elements.of(all), Elements.of(mine));
      return;
    }
    long own = position() * mine.bytes();
    gathered(all, (rank, a) -> addDoubles(a, rank * all.bytes() + own, mine.segment(), rank == 0));
  }

  private static Elements elements(Span span) {
    return span.dtype() == DType.F64
        ? new Elements(ElementType.I64, span.segment())
        : Elements.of(span);
  }

  /** Shows everyone's {@code x}, one after the other, once a rank in ascending order. */
  private void gathered(Span x, BiConsumer<Integer, MemorySegment> add) {
    try (Arena arena = Arena.ofShared()) { // other ranks of this JVM read it
      MemorySegment all = arena.allocate(Math.max(1, x.bytes() * size()), 64);
      MemorySegment used = all.asSlice(0, x.bytes() * size());
      communicator.allGather(
          new Elements(ElementType.I64, x.segment()), new Elements(ElementType.I64, used));
      for (int rank = 0; rank < size(); rank++) {
        add.accept(rank, used);
      }
    }
  }

  private static void addDoubles(MemorySegment from, long at, MemorySegment to, boolean first) {
    for (long i = 0; i < to.byteSize(); i += Double.BYTES) {
      double old = first ? 0 : to.get(JAVA_DOUBLE_UNALIGNED, i);
      double x = from.get(JAVA_DOUBLE_UNALIGNED, at + i);
      to.set(JAVA_DOUBLE_UNALIGNED, i, first ? x : old + x);
    }
  }
}

package dev.sortie.eetuning.explain;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.KernelCall;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.memory.Span;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A kernel that ran.
 *
 * @param kernel name of the call that the kernel set carried out
 * @param shapes of its operands
 * @param weights that it read; empty for the rows of the head that draft heads hold
 * @param cache keys and values that it read, if it was attention
 * @param nanos how long it took
 */
public record KernelUse(
    String kernel,
    OperandShapes shapes,
    List<WeightUse> weights,
    Optional<CacheUse> cache,
    long nanos) {

  /**
   * A weight that a kernel read.
   *
   * @param name within its layer or exit, else in the model
   * @param type in which it is held
   * @param shape of the whole weight
   */
  public record WeightUse(String name, DType type, List<Integer> shape) {}

  /**
   * What attention read of a KV cache.
   *
   * @param end one past the last position of the keys
   * @param rows queries: those of the last positions
   * @param tokens whose keys and values are read; within a window fewer than {@code end}
   * @param type of keys and values
   * @param bytes of keys and values together
   */
  public record CacheUse(int end, int rows, int tokens, DType type, long bytes) {
    static CacheUse of(AttentionShape s, DType type) {
      int tokens = s.keys() - s.first(0);
      return new CacheUse(
          s.keys(),
          s.queries(),
          tokens,
          type,
          2 * type.bytes((long) tokens * s.kvHeads() * s.headSize()));
    }

    /** Whether the token at {@code position} is one of the queries. */
    boolean reads(int position) {
      return position < end && position >= end - rows;
    }
  }

  /**
   * A call as it was observed.
   *
   * @param asked the call that was made
   * @param ran what carried it out
   */
  static KernelUse of(KernelCall asked, KernelCall ran, long nanos, WeightNames names) {
    return new KernelUse(
        ran.name(),
        OperandShapes.of(ran),
        weights(asked, ran, names).map(KernelUse::use).toList(),
        cache(ran),
        nanos);
  }

  /** The same kernels, that ran twice, each with its lesser time. */
  static List<KernelUse> quickest(List<KernelUse> once, List<KernelUse> again) {
    return IntStream.range(0, once.size())
        .mapToObj(i -> once.get(i).nanos <= again.get(i).nanos ? once.get(i) : again.get(i))
        .toList();
  }

  /** Weights in tiles lie elsewhere: of the call that was made, those whose results are here. */
  private static Stream<WeightNames.Named> weights(
      KernelCall asked, KernelCall ran, WeightNames names) {
    Stream<Span> read =
        switch (asked) {
          case MatrixCall.Linears c -> {
            Collection<Span> results = ran.writes();
            yield c.projections().stream().filter(p -> results.contains(p.y())).map(Projection::w);
          }
          default -> asked.reads().stream();
        };
    return read.flatMap(span -> names.at(span).stream());
  }

  private static WeightUse use(WeightNames.Named weight) {
    return new WeightUse(
        weight.name(),
        weight.tensor().dtype(),
        Stream.iterate(0, i -> i < weight.tensor().shape().rank(), i -> i + 1)
            .map(weight.tensor().shape()::size)
            .toList());
  }

  private static Optional<CacheUse> cache(KernelCall ran) {
    return switch (ran) {
      case AttentionCall.Attention c -> Optional.of(CacheUse.of(c.shape(), c.k().dtype()));
      case AttentionCall.OverRuns c ->
          Optional.of(CacheUse.of(c.shape(), c.k().getFirst().dtype()));
      default -> Optional.empty();
    };
  }
}

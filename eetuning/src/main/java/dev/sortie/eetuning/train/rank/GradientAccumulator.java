package dev.sortie.eetuning.train.rank;

import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Storage;
import dev.sortie.tensor.memory.Workspace;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The gradients of a step: {@code ((g₀ + g₁) + g₂) + …} over its micro-batches by number, whatever
 * rank computed them, so that every number of replicas gives the same bits.
 *
 * <p>Of R replicas, number r computes micro-batches r, R + r, 2R + r, …: in each round R neighbours
 * in the sum. Replica 0 adds its gradient to the sum so far, the others bring theirs alone, and an
 * all-reduce in rank order continues from there. The price is a pass over a bucket's gradient for
 * each micro-batch beyond the first, and an all-reduce a round instead of one a step, which runs in
 * parallel with the work of other buckets. A fixed tree of pairs needs one a step, but is the same
 * for several R only where they are powers of two; to keep all gradients of a step until they can
 * be added in order takes that many times the memory.
 */
public final class GradientAccumulator {
  private static final int ALIGN = 16; // floats in 64 bytes

  private final ProcessGroups groups;
  private final Kernels kernels;
  private final Gradients sum;
  private final Map<Tensor, Bucket> buckets = new IdentityHashMap<>();

  /** Some gradients in one run of memory, and their exchange under way. */
  private static final class Bucket {
    private final Span memory;
    private Handle exchange;

    Bucket(Span memory) {
      this.memory = memory;
    }

    void await() {
      if (exchange != null) {
        exchange.await();
        exchange = null;
      }
    }
  }

  /**
   * @param parts parameters whose gradients are exchanged together, such as those of an exit or a
   *     layer; the same on all replicas
   */
  public GradientAccumulator(
      ProcessGroups groups,
      NativeArena arena,
      Kernels kernels,
      List<? extends Collection<Tensor>> parts) {
    this.groups = groups;
    this.kernels = kernels;
    Map<Tensor, Tensor> gradients = new IdentityHashMap<>();
    for (Collection<Tensor> parameters : parts) {
      long length = parameters.stream().mapToLong(GradientAccumulator::room).sum();
      Bucket bucket = new Bucket(memory(length, arena));
      long at = 0;
      for (Tensor p : parameters) {
        Span place = bucket.memory.slice(at, p.shape().count());
        gradients.put(p, Tensor.of(place, p.shape()));
        buckets.put(p, bucket);
        at += room(p);
      }
    }
    this.sum = new Gradients(kernels, gradients);
  }

  private static long room(Tensor parameter) {
    return Math.ceilDiv(parameter.shape().count(), ALIGN) * ALIGN;
  }

  private Span memory(long length, NativeArena arena) {
    Storage storage =
        groups
            .shared(length * Float.BYTES)
            .map(shared -> arena.wrap(DType.F32, length, shared))
            .orElseGet(() -> arena.allocate(DType.F32, length));
    return storage.span();
  }

  /** Bytes of the sums where they lie in memory that the other replicas read; else 0. */
  public long sharedBytes() {
    return groups.mesh().dp() == 1
        ? 0
        : buckets.values().stream().distinct().mapToLong(b -> b.memory.bytes()).sum();
  }

  /**
   * Adds the gradients of one micro-batch to those of some buckets. Each round does so once for
   * each bucket, in the same order on all replicas.
   *
   * @param round from 0 in each step; the first begins a new sum
   * @param parameters of the buckets that {@code objective} depends on
   */
  public void add(int round, Tensor objective, Collection<Tensor> parameters, Workspace workspace) {
    List<Backward.Seed> seeds = List.of(Backward.Seed.of(workspace, objective, 1));
    add(round, seeds, parameters, Map.of(), workspace);
  }

  /**
   * As above.
   *
   * @param seeds results of a graph with their gradients
   * @param inputs other leaves of the graph, and where their gradients of this micro-batch go
   */
  public void add(
      int round,
      List<Backward.Seed> seeds,
      Collection<Tensor> parameters,
      Map<Tensor, Tensor> inputs,
      Workspace workspace) {
    List<Bucket> touched = parameters.stream().map(buckets::get).distinct().toList();
    touched.forEach(Bucket::await);
    boolean alone = round == 0 || groups.coordinates().dp() > 0;
    Map<Tensor, Tensor> targets = new IdentityHashMap<>(inputs);
    for (Tensor p : parameters) {
      targets.put(p, alone ? sum.of(p) : Tensor.allocate(workspace, p.dtype(), p.shape()));
    }
    Gradients one = new Gradients(kernels, targets);
    Backward.run(kernels, workspace, seeds, one);
    targets.keySet().forEach(one::of); // a gradient of zero is only noted until it is asked for
    if (!alone) {
      parameters.forEach(p -> kernels.axpy(1, one.of(p).span(), sum.of(p).span()));
    }
    if (groups.mesh().dp() > 1) {
      touched.forEach(b -> b.exchange = groups.startSum(Elements.of(b.memory)));
    }
  }

  /** The gradients; those of {@code parameters} are whole. */
  public Gradients whole(Collection<Tensor> parameters) {
    parameters.stream().map(buckets::get).distinct().forEach(Bucket::await);
    return sum;
  }
}

package dev.sortie.parallel.shard;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;

import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;

/**
 * Compares gradients of what ranks compute together with central differences in F64, with the
 * tolerances of {@link dev.sortie.tensor.autograd.GradCheck}. An equal parameter is changed on all
 * ranks at once, an own one on its rank alone; the ranks' objectives are added up, or counted once
 * where their results are equal.
 */
final class ShardGradCheck {
  private static final double STEP = 1e-6;
  private static final double ABSOLUTE = 1e-5;
  private static final double RELATIVE = 1e-3;

  /** A parameter of N(0, 1): the same numbers on each rank, or each its own. */
  record Input(Shape shape, boolean equal) {}

  /** What is checked. */
  interface Computation extends BiFunction<RankJob.Rank, List<Tensor>, Tensor> {}

  private final RankJob.Rank rank;
  private final Computation f;
  private final boolean equalResult;
  private final List<Tensor> parameters = new ArrayList<>();
  private final List<Boolean> equal = new ArrayList<>();

  private ShardGradCheck(RankJob.Rank rank, Computation f, boolean equalResult) {
    this.rank = rank;
    this.f = f;
    this.equalResult = equalResult;
  }

  /**
   * Fails unless the gradients agree with differences on all ranks.
   *
   * @param inputs of each rank
   * @param equalResult whether all ranks compute the same tensor
   */
  static void check(RankJob.Rank rank, List<Input> inputs, boolean equalResult, Computation f) {
    ShardGradCheck check = new ShardGradCheck(rank, f, equalResult);
    for (Input input : inputs) {
      check.add(input);
    }
    check.run();
  }

  private void add(Input input) {
    Tensor t = Tensor.allocate(rank.arena(), DType.F64, input.shape());
    Random random = new Random(7, input.equal() ? 0 : 1 + rank.position());
    Random stream = random.stream(parameters.size());
    for (long i = 0; i < t.shape().count(); i++) {
      t.span().set(i, stream.normal(i));
    }
    parameters.add(t.asParameter());
    equal.add(input.equal());
  }

  private void run() {
    var ops = rank.ops();
    Gradients gradients = new Gradients(rank.arena(), ops.kernels(), parameters);
    try (var _ = ops.workspace().mark()) {
      Backward.run(ops.kernels(), ops.workspace(), objective(), gradients);
    }
    for (int i = 0; i < parameters.size(); i++) {
      Tensor gradient = gradients.of(parameters.get(i));
      int owners = equal.get(i) ? 1 : rank.group().size();
      for (int owner = 0; owner < owners; owner++) {
        compare(i, owner, gradient);
      }
    }
  }

  /** Every rank takes part for every element, its own or not: their collectives must pair up. */
  private void compare(int i, int owner, Tensor gradient) {
    boolean mine = equal.get(i) || owner == rank.position();
    Tensor x = parameters.get(i);
    long count = (long) most(x.shape().count());
    for (long e = 0; e < count; e++) {
      boolean changes = mine && e < x.shape().count();
      double old = changes ? x.span().get(e) : 0;
      double up = value(changes, x, e, old + STEP);
      double down = value(changes, x, e, old - STEP);
      if (changes) {
        x.span().set(e, old);
        double expected = (up - down) / (2 * STEP);
        double actual = gradient.span().get(e);
        if (!(Math.abs(actual - expected) <= ABSOLUTE + RELATIVE * Math.abs(expected))) {
          throw new AssertionError(
              String.format(
                  Locale.ROOT,
                  "rank %d, gradient of input %d, element %d: %.9g, by differences %.9g",
                  rank.position(),
                  i,
                  e,
                  actual,
                  expected));
        }
      }
    }
  }

  private double value(boolean changes, Tensor x, long e, double to) {
    if (changes) {
      x.span().set(e, to);
    }
    double[] values;
    try (var _ = rank.ops().workspace().mark()) {
      values = all(NoGrad.call(() -> objective().item()));
    }
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    return equalResult ? values[0] : sum;
  }

  private double most(double mine) {
    double most = 0;
    for (double v : all(mine)) {
      most = Math.max(most, v);
    }
    return most;
  }

  private double[] all(double mine) {
    int size = rank.group().size();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment one = arena.allocate(8, 64);
      MemorySegment each = arena.allocate(8L * size, 64);
      one.set(JAVA_DOUBLE_UNALIGNED, 0, mine);
      rank.group()
          .communicator()
          .allGather(new Elements(ElementType.I64, one), new Elements(ElementType.I64, each));
      return each.toArray(JAVA_DOUBLE_UNALIGNED);
    }
  }

  /** A sum with another weight for each element and, unless the result is equal, each rank. */
  private Tensor objective() {
    var ops = rank.ops();
    Tensor y = f.apply(rank, parameters);
    Tensor w = ops.empty(DType.F64, y.shape());
    int phase = equalResult ? 0 : rank.position();
    for (long e = 0; e < w.shape().count(); e++) {
      w.span().set(e, 1 + 0.37 * Math.sin(1.7 * e + 0.3 + phase));
    }
    return ops.sum(ops.mul(y, w));
  }
}

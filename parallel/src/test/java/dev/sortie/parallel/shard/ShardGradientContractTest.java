package dev.sortie.parallel.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.shard.ShardGradCheck.Computation;
import dev.sortie.parallel.shard.ShardGradCheck.Input;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every collective's gradient equals finite differences in F64, with 1 to 4 ranks. */
class ShardGradientContractTest {

  /**
   * One check.
   *
   * @param inputs those of a rank
   * @param equalResult whether all ranks get the same
   */
  record Case(
      Class<? extends ShardOp> op,
      int ranks,
      BiFunction<Integer, Integer, List<Input>> inputs,
      boolean equalResult,
      Computation f) {
    @Override
    public String toString() {
      return op.getSimpleName() + ", " + ranks + " ranks";
    }
  }

  private static Stream<Case> of(
      Class<? extends ShardOp> op,
      BiFunction<Integer, Integer, List<Input>> inputs,
      boolean equalResult,
      Computation f) {
    return Stream.of(1, 2, 3, 4).map(ranks -> new Case(op, ranks, inputs, equalResult, f));
  }

  private static List<Input> equal(long... dims) {
    return List.of(new Input(Shape.of(dims), true));
  }

  private static List<Input> own(long... dims) {
    return List.of(new Input(Shape.of(dims), false));
  }

  static Stream<Case> cases() {
    return Stream.of(
            of(
                Regions.Copy.class,
                (n, p) -> equal(2, 3),
                false,
                (r, x) -> r.ops().apply(new Regions.Copy(r.group()), x.get(0))),
            of(
                Regions.AllReduce.class,
                (n, p) -> own(2, 3),
                true,
                (r, x) -> r.ops().apply(new Regions.AllReduce(r.group()), x.get(0))),
            of(
                Regions.Split.class,
                (n, p) -> equal(2, 12, 2),
                false,
                (r, x) -> r.ops().apply(new Regions.Split(r.group()), x.get(0))),
            of(
                Regions.Gather.class,
                (n, p) -> own(2, 3, 2),
                true,
                (r, x) -> r.ops().apply(new Regions.Gather(r.group()), x.get(0))),
            of(
                Regions.AllGather.class,
                (n, p) -> own(2, 3, 2),
                false,
                (r, x) -> r.ops().apply(new Regions.AllGather(r.group()), x.get(0))),
            of(
                Regions.ReduceScatter.class,
                (n, p) -> own(2, 12, 2),
                false,
                (r, x) -> r.ops().apply(new Regions.ReduceScatter(r.group()), x.get(0))),
            of(
                Columns.GatherColumns.class,
                (n, p) -> own(2, 3, Share.of(6, n, p).count()),
                true,
                (r, x) -> r.ops().apply(new Columns.GatherColumns(r.group(), 6), x.get(0))))
        .flatMap(s -> s);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientEqualsFiniteDifferences(Case c) {
    RankJob.run(
        c.ranks(),
        rank -> {
          List<Input> inputs = c.inputs().apply(c.ranks(), rank.position());
          ShardGradCheck.check(rank, inputs, c.equalResult(), c.f());
          return null;
        });
  }

  @Test
  void everyOpHasACase() {
    Set<String> covered = cases().map(c -> c.op().getSimpleName()).collect(Collectors.toSet());
    Set<String> all =
        Arrays.stream(ShardOp.class.getPermittedSubclasses())
            .map(Class::getSimpleName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(covered).containsExactlyInAnyOrderElementsOf(all);
  }

  /** The conjugate of a sum over ranks is forgotten: what each computes of its own needs Copy. */
  @Test
  void aMissingCollectiveIsFound() {
    assertThatThrownBy(
            () ->
                RankJob.run(
                    2,
                    rank -> {
                      Computation f = (r, x) -> r.ops().scale(x.get(0), 1);
                      ShardGradCheck.check(rank, equal(2, 3), false, f);
                      return null;
                    }))
        .hasMessageContaining("gradient of input 0, element 0");
  }

  @Test
  void rowsThatDoNotDivideAreRefused() {
    assertThatThrownBy(
            () ->
                RankJob.run(
                    2,
                    rank -> {
                      Tensor x = Tensor.of(rank.arena(), Shape.of(3, 1), 1, 2, 3);
                      return rank.ops().apply(new Regions.Split(rank.group()), x);
                    }))
        .hasMessageContaining("rows of [3, 1]")
        .hasMessageContaining("2 ranks");
  }
}

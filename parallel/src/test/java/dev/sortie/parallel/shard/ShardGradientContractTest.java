package dev.sortie.parallel.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.Linear;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.shard.ShardGradCheck.Computation;
import dev.sortie.parallel.shard.ShardGradCheck.Input;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.dtype.DType;
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

  private static List<Input> rowLinear(long rows, int ranks, int position) {
    long share = ShardRange.of(5, ranks, position).count();
    return List.of(
        new Input(Shape.of(rows, share), false),
        new Input(Shape.of(3, share), false),
        new Input(Shape.of(3), true));
  }

  private static Tensor rowLinear(RankJob.Rank r, List<Tensor> x, boolean scatter) {
    var op = new ShardLinears.RowLinear(r.group(), scatter);
    return r.ops().apply(op, x.get(0), x.get(1), x.get(2));
  }

  private static List<Input> head(int ranks, int position) {
    return List.of(
        new Input(Shape.of(4, 2), true),
        new Input(Shape.of(ShardRange.of(7, ranks, position).count(), 2), false));
  }

  private static TensorParallel tensorParallel(RankJob.Rank r, int vocab, boolean sequence) {
    DecoderConfig config =
        new DecoderConfig(1, 4, 4, 4, 2, 8, vocab, 8, 1e-5, 1e4, false, false, false, true);
    DecoderShard share = DecoderShard.of(config, r.group().size(), r.position());
    return new TensorParallel(r.group(), share, sequence);
  }

  private static Tensor ids(RankJob.Rank r, int... ids) {
    return Tensor.ids(r.ops().workspace(), Shape.of(ids.length), ids);
  }

  private static Tensor weights(RankJob.Rank r) {
    return constant(r, Shape.of(4));
  }

  private static Tensor constant(RankJob.Rank r, Shape shape) {
    Tensor t = r.ops().empty(DType.F64, shape);
    for (long i = 0; i < shape.count(); i++) {
      t.span().set(i, Math.cos(1.3 * i) + 0.4);
    }
    return t;
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
                Regions.GatherColumns.class,
                (n, p) -> own(2, 3, ShardRange.of(6, n, p).count()),
                true,
                (r, x) -> r.ops().apply(new Regions.GatherColumns(r.group(), 6), x.get(0))),
            of(
                ShardLinears.RowLinear.class,
                (n, p) -> rowLinear(2, n, p),
                true,
                (r, x) -> rowLinear(r, x, false)),
            of(
                ShardLinears.RowLinear.class,
                (n, p) -> rowLinear(12, n, p),
                false,
                (r, x) -> rowLinear(r, x, true)),
            of(
                ShardLinears.VocabEmbedding.class,
                (n, p) -> own(ShardRange.of(6, n, p).count(), 2),
                true,
                (r, x) ->
                    r.ops()
                        .apply(
                            new ShardLinears.VocabEmbedding(r.group(), 6),
                            x.get(0),
                            ids(r, 0, 5, 3, 3, 1))),
            of(
                VocabHeads.LinearCrossEntropy.class,
                (n, p) -> head(n, p),
                true,
                (r, x) ->
                    tensorParallel(r, 7, false)
                        .crossEntropy(
                            r.ops(),
                            new HeadInput(x.get(0), x.get(1)),
                            ids(r, 6, -1, 2, 0),
                            weights(r),
                            false)
                        .sum()),
            of(
                VocabHeads.LinearKl.class,
                (n, p) -> Stream.concat(head(n, p).stream(), head(n, p).stream()).toList(),
                true,
                (r, x) ->
                    tensorParallel(r, 7, false)
                        .kl(
                            r.ops(),
                            List.of(
                                new HeadInput(x.get(0), x.get(1)),
                                new HeadInput(x.get(2), x.get(3))),
                            new HeadInput(
                                constant(r, x.get(0).shape()), constant(r, x.get(1).shape())),
                            weights(r),
                            false)
                        .sum()))
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

  /** A frozen backbone keeps neither inputs nor what was exchanged. */
  @Test
  void frozenLayersRecordNothing() {
    RankJob.run(
        2,
        rank -> {
          var ops = rank.ops();
          TensorParallel tp = tensorParallel(rank, 6, true);
          Linear wide = new Linear(constant(rank, Shape.of(4, 3)), null);
          Linear back = new Linear(constant(rank, Shape.of(3, 4)), constant(rank, Shape.of(3)));
          Tensor table = constant(rank, Shape.of(3, 3));
          Tensor ids = Tensor.ids(ops.workspace(), Shape.of(1, 4), 5, 0, 2, 3);
          Tensor x = tp.begin(ops, tp.embedding(ops, table, ids));
          Tensor y = tp.output(ops, tp.inputs(ops, x, wide).getFirst(), back);
          Tensor logits = tp.logits(ops, y, new Linear(table, null));
          assertThat(y.shape()).isEqualTo(Shape.of(1, 2, 3));
          assertThat(logits.shape()).isEqualTo(Shape.of(1, 4, 6));
          for (Tensor t : List.of(x, y, logits)) {
            assertThat(t.needsGrad()).isFalse();
          }
          return null;
        });
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

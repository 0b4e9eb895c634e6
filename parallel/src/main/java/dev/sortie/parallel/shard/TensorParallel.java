package dev.sortie.parallel.shard;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Linear;
import dev.sortie.nn.LinearMap;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.HeadLoss;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * Tensor parallelism (Shoeybi et al., arXiv 1909.08053): projections that read the residual stream
 * are cut by their outputs, those that write into it by their inputs, embedding and head by the
 * vocabulary. A layer costs two all-reduces forward and two backward.
 *
 * <p>With sequence parallelism (Korthikanti et al., arXiv 2205.05198) each rank has a share of the
 * rows of the residual stream, so that norms and additions are computed once; each all-reduce
 * becomes a reduce-scatter and an all-gather, which move as much.
 *
 * @param group the ranks
 * @param shard this rank's shard of the decoder
 * @param sequence whether rows of the residual stream are shared out; T must be a multiple of the
 *     number of ranks
 */
public record TensorParallel(ShardGroup group, DecoderShard shard, boolean sequence)
    implements Sharding {

  private long vocab() {
    return shard.whole().vocab();
  }

  /** The table's rows of this rank; frozen tables record nothing. */
  @Override
  public Tensor embedding(Ops ops, Tensor table, Tensor ids) {
    return ops.apply(new ShardLinears.VocabEmbedding(group, vocab()), table, ids);
  }

  @Override
  public Tensor begin(Ops ops, Tensor x) {
    return sequence ? ops.apply(new Regions.Split(group), x) : x;
  }

  @Override
  public List<Tensor> inputs(Ops ops, Tensor x, LinearMap... projections) {
    return LinearMap.applyAll(ops, entered(ops, x), projections);
  }

  /** The residual stream on its way to what this rank computes of its own. */
  private Tensor entered(Ops ops, Tensor x) {
    return sequence
        ? ops.apply(new Regions.AllGather(group), x)
        : ops.apply(new Regions.Copy(group), x);
  }

  @Override
  public Tensor output(Ops ops, Tensor x, LinearMap projection) {
    if (!(projection instanceof Linear linear)) { // DecoderShard refuses such models
      throw new IllegalArgumentException("a factored projection is not shared out");
    }
    var op = new ShardLinears.RowLinear(group, sequence);
    return linear.bias() == null
        ? ops.apply(op, x, linear.weight())
        : ops.apply(op, x, linear.weight(), linear.bias());
  }

  @Override
  public Tensor logits(Ops ops, Tensor x, Linear head) {
    Tensor own = head.apply(ops, entered(ops, x));
    return ops.apply(new Regions.GatherColumns(group, vocab()), own);
  }

  @Override
  public HeadLoss crossEntropy(
      Ops ops, HeadInput in, Tensor targets, Tensor weights, boolean confident) {
    int chunk = chunk();
    Tensor local = LocalTargets.of(ops, targets, shard.vocab(), vocab());
    return ops.headLoss(
        new VocabHeads.LinearCrossEntropy(group, vocab(), confident, chunk),
        List.of(entered(ops, in.x()), in.w(), targets, local, weights, room(ops, chunk)));
  }

  @Override
  public HeadLoss kl(
      Ops ops, List<HeadInput> students, HeadInput teacher, Tensor weights, boolean confident) {
    int chunk = chunk();
    List<Tensor> in = new ArrayList<>();
    for (HeadInput student : students) {
      in.add(entered(ops, student.x()));
      in.add(student.w());
    }
    in.add(entered(ops, teacher.x().detach()));
    in.addAll(List.of(teacher.w().detach(), weights, room(ops, chunk)));
    return ops.headLoss(new VocabHeads.LinearKl(group, vocab(), confident, chunk), in);
  }

  private int chunk() {
    return VocabHeads.chunk(shard.vocab().widest());
  }

  private static Tensor room(Ops ops, int chunk) {
    return ops.empty(DType.I32, Shape.of(chunk));
  }

  @Override
  public Weights share(SlicedWeights source) {
    return new ShardWeights(source, shard);
  }

  @Override
  public SequencedMap<String, Tensor> whole(
      SequencedMap<String, Tensor> shares, Allocator allocator) {
    return GatheredTensors.of(group, shard, shares, allocator);
  }

  @Override
  public Sharding over(int tokens) {
    if (tokens < group.size()) {
      throw new InputException(
          "a head over %d tokens cannot be shared out to %d tensor-parallel ranks; take fewer"
              .formatted(tokens, group.size()));
    }
    return new TensorParallel(group, shard.over(tokens), sequence);
  }

  @Override
  public int held(int tokens) {
    return Math.toIntExact(group.range(tokens).count());
  }

  /**
   * Each rank puts in the rows that it has, zeros elsewhere, and the sum of the bits is theirs.
   * Tokens are shared out evenly, not where their rows are: the most frequent ones have low
   * numbers, so that the first rank would have nearly all.
   */
  @Override
  public Tensor rows(Tensor head, int[] ids, Allocator allocator) {
    return rows(head, ids, group.range(ids.length), allocator);
  }

  @Override
  public Tensor wholeRows(Tensor head, int[] ids, Allocator allocator) {
    return rows(head, ids, ShardRange.of(ids.length, 1, 0), allocator);
  }

  private Tensor rows(Tensor head, int[] ids, ShardRange mine, Allocator allocator) {
    long width = head.shape().dim(1);
    Tensor rows = Tensor.allocate(allocator, head.dtype(), Shape.of(mine.count(), width));
    try (NativeArena scratch = new NativeArena("rows of a head")) {
      long row = head.dtype().bytes(width);
      long words = Math.ceilDiv(ids.length * row, Integer.BYTES);
      Span bits = scratch.allocate(DType.I32, words).span();
      bits.segment().fill((byte) 0);
      for (int i = 0; i < ids.length; i++) {
        if (shard.vocab().holds(ids[i])) {
          Span from = head.span().slice((ids[i] - shard.vocab().from()) * width, width);
          bits.segment().asSlice(i * row, row).copyFrom(from.segment());
        }
      }
      group.allReduce(bits);
      rows.span().segment().copyFrom(bits.segment().asSlice(mine.from() * row, mine.count() * row));
    }
    return rows;
  }

  @Override
  public boolean splitsTokens() {
    return sequence;
  }

  @Override
  public Shape residual(Shape whole) {
    return sequence ? Regions.part("residual stream", whole, group.size()) : whole;
  }

  @Override
  public long firstRow(Shape whole) {
    return sequence ? group.position() * residual(whole).count() / whole.dim(-1) : 0;
  }
}

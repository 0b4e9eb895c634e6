package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.HeadLoss;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Allocator;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SequencedMap;

/** Nothing is shared out: {@link Sharding#NONE}, and what sees the inputs of its projections. */
public class Unsharded implements Sharding {
  /** One rank with everything. */
  public Unsharded() {}

  @Override
  public Tensor embedding(Ops ops, Tensor table, Tensor ids) {
    return ops.embedding(table, ids);
  }

  @Override
  public Tensor begin(Ops ops, Tensor x) {
    return x;
  }

  @Override
  public List<Tensor> inputs(Ops ops, Tensor x, LinearMap... projections) {
    return LinearMap.applyAll(ops, x, projections);
  }

  @Override
  public Tensor output(Ops ops, Tensor x, LinearMap projection) {
    return projection.apply(ops, x);
  }

  @Override
  public Tensor logits(Ops ops, Tensor x, Linear head) {
    return head.apply(ops, x);
  }

  @Override
  public HeadLoss crossEntropy(
      Ops ops, HeadInput in, Tensor targets, Tensor weights, boolean confident) {
    return ops.linearCrossEntropy(in.x(), in.w(), targets, weights, confident);
  }

  @Override
  public HeadLoss kl(
      Ops ops, List<HeadInput> students, HeadInput teacher, Tensor weights, boolean confident) {
    return ops.linearKl(students, teacher, weights, confident);
  }

  @Override
  public Weights share(SlicedWeights source) {
    return source;
  }

  @Override
  public SequencedMap<String, Tensor> whole(
      SequencedMap<String, Tensor> shares, Allocator allocator) {
    return shares;
  }

  @Override
  public Sharding over(int tokens) {
    return this;
  }

  @Override
  public int held(int tokens) {
    return tokens;
  }

  @Override
  public Tensor rows(Tensor head, int[] ids, Allocator allocator) {
    Tensor rows =
        Tensor.allocate(allocator, head.dtype(), Shape.of(ids.length, head.shape().dim(1)));
    long width = head.shape().dim(1);
    for (int i = 0; i < ids.length; i++) {
      MemorySegment row = rows.span().slice(i * width, width).segment();
      if (ids[i] < 0) {
        row.fill((byte) 0);
      } else {
        row.copyFrom(head.span().slice(ids[i] * width, width).segment());
      }
    }
    return rows;
  }

  @Override
  public Tensor wholeRows(Tensor head, int[] ids, Allocator allocator) {
    return rows(head, ids, allocator);
  }

  @Override
  public boolean splitsTokens() {
    return false;
  }

  @Override
  public Shape residual(Shape whole) {
    return whole;
  }

  @Override
  public long firstRow(Shape whole) {
    return 0;
  }

  @Override
  public String toString() {
    return "whole model";
  }
}

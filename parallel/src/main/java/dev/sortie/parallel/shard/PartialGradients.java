package dev.sortie.parallel.shard;

import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.mesh.Group;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Parameters that several ranks have alike though each finds a part of their gradient alone: the
 * parts are added up once a step, after all micro-batches. These are key and value heads that stand
 * on several ranks, norms within heads, and, where rows of the residual stream are shared out, its
 * norms.
 */
final class PartialGradients implements AutoCloseable {
  private final ShardGroup group;
  private final Optional<ShardGroup> sharers;
  private final List<Tensor> ofGroup = new ArrayList<>();
  private final List<Tensor> ofSharers = new ArrayList<>();

  /** Those of some parameters, by names as in a decoder. A collective call. */
  PartialGradients(TensorParallel sharding, Map<String, Tensor> parameters) {
    this.group = sharding.group();
    DecoderShard shard = sharding.shard();
    ShardRange same = shard.heads().sharers();
    this.sharers = same.count() > 1 ? Optional.of(sharers(group, same)) : Optional.empty();
    parameters.forEach(
        (name, t) -> {
          if (isOfGroup(name, shard, sharding.sequence())) {
            ofGroup.add(t);
          } else if (DecoderShard.kind(name) == DecoderShard.Kind.KEYS && same.count() > 1) {
            ofSharers.add(t);
          }
        });
  }

  private static ShardGroup sharers(ShardGroup group, ShardRange same) {
    Communicator all = group.communicator();
    var members = all.group().ranks().subList((int) same.from(), (int) same.end());
    return new ShardGroup(all.split(new Group(members)));
  }

  private static boolean isOfGroup(String name, DecoderShard shard, boolean sequence) {
    boolean inHeads = name.contains(".q_norm.") || name.contains(".k_norm.");
    if (inHeads) {
      return shard.whole().switches().queryKeyNorm() == QueryKeyNorm.HEAD;
    }
    return sequence && name.contains("norm.");
  }

  /** Adds the parts up; every rank then has the whole, with the same bits. A collective call. */
  void sum(Kernels k, Allocator scratch, Gradients gradients) {
    sum(k, scratch, gradients, group, ofGroup);
    sharers.ifPresent(some -> sum(k, scratch, gradients, some, ofSharers));
  }

  /** All in one message: most are a few hundred numbers long. */
  private static void sum(
      Kernels k, Allocator scratch, Gradients gradients, ShardGroup ranks, List<Tensor> list) {
    if (list.isEmpty() || ranks.size() == 1) {
      return;
    }
    List<Span> spans = list.stream().map(t -> gradients.of(t).span()).toList();
    DType dtype = spans.getFirst().dtype();
    long length = spans.stream().mapToLong(Span::length).sum();
    Span packed = scratch.allocate(dtype, length).span();
    long at = 0;
    for (Span s : spans) {
      k.copy(s, packed.slice(at, s.length()));
      at += s.length();
    }
    ranks.allReduce(packed);
    at = 0;
    for (Span s : spans) {
      k.copy(packed.slice(at, s.length()), s);
      at += s.length();
    }
  }

  @Override
  public void close() {
    sharers.ifPresent(some -> some.communicator().close());
  }
}

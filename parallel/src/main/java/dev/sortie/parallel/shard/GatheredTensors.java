package dev.sortie.parallel.shard;

import dev.sortie.nn.Slice;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Puts the ranks' shards of tensors together again, number by number, so that what is saved does
 * not depend on the layout.
 */
final class GatheredTensors {
  private GatheredTensors() {}

  /**
   * The whole tensors, on every rank. A collective call.
   *
   * @param shard this rank's
   * @param mine its tensors by the decoder's names; of tensors like them, such as an optimiser's
   *     moments, by the names of these
   * @param allocator for the result
   */
  static SequencedMap<String, Tensor> of(
      ShardGroup group, DecoderShard shard, Map<String, Tensor> mine, Allocator allocator) {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    mine.forEach((name, t) -> all.put(name, of(group, shard, name, t, allocator)));
    return all;
  }

  private static Tensor of(
      ShardGroup group, DecoderShard shard, String name, Tensor mine, Allocator allocator) {
    Shape whole = shard.whole(name, mine.shape());
    Tensor out = Tensor.allocate(allocator, mine.dtype(), whole);
    Optional<Slice> part = shard.part(name);
    if (part.isEmpty() || group.size() == 1) {
      out.span().segment().copyFrom(mine.span().segment());
      return out;
    }
    long widest = 0;
    for (int rank = 0; rank < group.size(); rank++) {
      widest = Math.max(widest, part(shard, name, rank).of(whole).count());
    }
    try (NativeArena scratch = new NativeArena("shares of a tensor")) {
      Span sent = scratch.allocate(mine.dtype(), widest).span();
      Span received = scratch.allocate(mine.dtype(), widest * group.size()).span();
      Span own = mine.span();
      sent.slice(0, own.length()).segment().copyFrom(own.segment());
      group.allGather(sent, received);
      for (int rank = 0; rank < group.size(); rank++) {
        put(received.slice(rank * widest, widest), part(shard, name, rank), out);
      }
    }
    return out;
  }

  private static Slice part(DecoderShard shard, String name, int rank) {
    return DecoderShard.of(shard.whole(), shard.ranks(), rank).part(name).orElseThrow();
  }

  private static void put(Span from, Slice part, Tensor whole) {
    long inner = 1;
    for (int d = part.dim() + 1; d < whole.shape().rank(); d++) {
      inner *= whole.shape().dim(d);
    }
    long run = part.count() * inner;
    long step = whole.shape().dim(part.dim()) * inner;
    long runs = whole.shape().count() / step;
    for (long i = 0; i < runs; i++) {
      whole
          .span()
          .slice(i * step + part.from() * inner, run)
          .segment()
          .copyFrom(from.slice(i * run, run).segment());
    }
  }
}

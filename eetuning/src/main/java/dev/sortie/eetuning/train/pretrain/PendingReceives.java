package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Storage;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What other stages send while this one works. Messages of a pair of stages come in the order in
 * which they were sent, which the sender's schedule tells; so a receive is begun only when those
 * before it are, each into memory of its own.
 */
final class PendingReceives implements AutoCloseable {
  private final ProcessGroups groups;
  private final Chain chain;
  private final Pool pool;
  private final Function<Action, Shape> shape;
  private final Map<Integer, Deque<Action>> expected = new HashMap<>();
  private final Map<Action, Message> begun = new HashMap<>();

  /** Memory for messages, used again over the whole run. */
  static final class Pool {
    private final Allocator allocator;
    private final long most;
    private final Deque<Storage> free = new ArrayDeque<>();
    private int taken;

    /**
     * @param most elements of the largest message
     */
    Pool(Allocator allocator, long most) {
      this.allocator = allocator;
      this.most = most;
    }

    private Storage take() {
      if (!free.isEmpty()) {
        return free.pop();
      }
      taken++;
      return allocator.allocate(DType.F32, most);
    }

    /** Bytes that were needed until now. */
    long bytes() {
      return taken * most * Float.BYTES;
    }
  }

  /** A message that is on its way or there. */
  final class Message {
    private final Storage memory;
    private final Tensor tensor;
    private final Handle handle;

    private Message(Shape content, int from) {
      this.memory = pool.take();
      this.tensor = Tensor.of(memory.span().slice(0, content.count()), content);
      this.handle = groups.startReceive(Elements.of(tensor.span()), from);
    }

    /** What it says, once it is there. */
    Tensor read() {
      handle.await();
      return tensor;
    }

    /** Gives its memory to others. */
    void release() {
      pool.free.push(memory);
    }
  }

  /**
   * @param actions of all stages, in their order
   * @param shape of what an action takes
   */
  PendingReceives(
      ProcessGroups groups,
      Chain chain,
      List<List<Action>> actions,
      Pool pool,
      Function<Action, Shape> shape) {
    this.groups = groups;
    this.chain = chain;
    this.pool = pool;
    this.shape = shape;
    int here = groups.coordinates().pp();
    for (int s = 0; s < chain.stages(); s++) {
      if (s != here) {
        expected.put(s, new ArrayDeque<>(chain.messages(s, actions.get(s), here)));
      }
    }
  }

  /** Begins to receive what an action takes, and what comes before it. */
  void expect(Action action) {
    Optional<Chain.Step> sender = chain.needs(new Chain.Step(groups.coordinates().pp(), action));
    if (sender.isEmpty() || begun.containsKey(action)) {
      return;
    }
    int from = sender.get().stage();
    Action next;
    do {
      next = expected.get(from).remove();
      begun.put(next, new Message(shape.apply(next), from));
    } while (!next.equals(action));
  }

  /** What an action takes; empty at the ends of the chain. */
  Optional<Message> take(Action action) {
    expect(action);
    return Optional.ofNullable(begun.remove(action));
  }

  @Override
  public void close() {
    ProcessGroups.settle(begun.values().stream().map(message -> message.handle).toList());
  }
}

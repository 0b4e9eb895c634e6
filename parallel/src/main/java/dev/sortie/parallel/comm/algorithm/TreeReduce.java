package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Up a binomial tree: each member adds what its children send, nearest first, and sends the sum to
 * its parent.
 *
 * <p>Cost: ⌈lg p⌉(α + nβ + nγ). The order is the tree's.
 */
final class TreeReduce implements Method {
  @Override
  public Operation operation() {
    return Operation.REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.TREE;
  }

  @Override
  public boolean ascends() {
    return false;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double rounds = Method.rounds(p);
    return speed.seconds(rounds, rounds * n, rounds * n);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.Reduce) call).data().memory();
    long n = data.byteSize();
    MemorySegment scratch = turn.scratch(2 * n);
    MemorySegment coming = scratch.asSlice(0, n);
    Tree tree = new Tree(call.root(), turn.position(), turn.size());
    MemorySegment sum = data;
    if (tree.number() != 0) {
      sum = scratch.asSlice(n, n); // a member's own data stays as it is
      MemorySegment.copy(data, 0, sum, 0, n);
    }
    for (int d = 1; tree.hasChild(d); d *= 2) {
      turn.receive(tree.child(d), coming);
      turn.add(sum, coming);
    }
    if (tree.number() != 0) {
      turn.send(tree.parent(), sum);
    }
  }
}

package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Down a binomial tree: whoever has the data passes it to half of the members that it answers for,
 * then to half of the rest.
 *
 * <p>Cost: ⌈lg p⌉(α + nβ).
 */
final class TreeBroadcast implements Method {
  @Override
  public Operation operation() {
    return Operation.BROADCAST;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.TREE;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(Method.rounds(p), (double) Method.rounds(p) * n, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.Broadcast) call).data().memory();
    Tree tree = new Tree(call.root(), turn.position(), turn.size());
    if (tree.number() != 0) {
      turn.receive(tree.parent(), data);
    }
    for (int d = tree.reach() / 2; d >= 1; d /= 2) {
      if (tree.hasChild(d)) {
        turn.send(tree.child(d), data);
      }
    }
  }
}

package dev.sortie.parallel.comm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.launch.Ranks;
import java.lang.foreign.Arena;

/** One rank of a job that learns from its environment who it is. Prints one line. */
final class JobRank {
  static final long COUNT = 30_011;

  private JobRank() {}

  /** No arguments. */
  public static void main(String[] args) {
    try (Transport transport = Ranks.join(System.getenv());
        Communicator c = GroupCommunicator.over(transport, CommOptions.defaults());
        Arena arena = Arena.ofShared()) {
      Elements data = new Elements(ElementType.F32, arena.allocate(4 * COUNT, 64));
      for (long i = 0; i < COUNT; i++) {
        data.memory().setAtIndex(JAVA_FLOAT, i, ExactNumbers.rough(c.position(), i));
      }
      c.allReduce(data);
      int bits = 0;
      for (long i = 0; i < COUNT; i++) {
        bits = 31 * bits + data.memory().getAtIndex(JAVA_INT, i);
      }
      new CommunicatorContract.Exactness(c, ElementType.I64, Order.ASCENDING).all(5);
      String line =
          "rank %d of %d through %s: %08x\n"
              .formatted(c.position(), c.size(), transport.name(), bits);
      System.out.print(line); // in one piece: a launcher mixes what its ranks print
    }
  }
}

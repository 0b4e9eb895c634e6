package dev.sortie.parallel.comm;

import java.lang.foreign.Arena;
import java.util.Random;

/** What ranks do in simulations: short calls of all kinds, whose results are checked. */
public final class SimulatedCalls {
  private SimulatedCalls() {}

  /** Some random calls, and messages round the ring. */
  public static void run(Communicator c, long seed, ElementType type) {
    Random random = new Random(seed);
    for (int i = 0; i < 6; i++) {
      Operation operation = Operation.values()[1 + random.nextInt(Operation.values().length - 1)];
      new ExactnessContract.Exactness(c, type, Order.ASCENDING).one(operation, random.nextInt(40));
    }
    try (Arena arena = Arena.ofConfined()) {
      Elements data = new Elements(type, arena.allocate(8L * type.bytes(), 8));
      ExactNumbers.fill(data, c.position(), 0);
      int next = (c.position() + 1) % c.size();
      int previous = (c.position() + c.size() - 1) % c.size();
      if (c.position() == 0) {
        c.send(data, next);
        c.receive(data, previous);
        ExactNumbers.expect(data, i -> ExactNumbers.whole(0, i));
      } else {
        c.receive(data, previous);
        c.send(data, next);
      }
    }
  }

  /** The last rank makes another call than the others. */
  public static void differ(Communicator c) {
    try (Arena arena = Arena.ofShared()) {
      Elements data = new Elements(ElementType.I64, arena.allocate(8 * 12, 8));
      if (c.position() == c.size() - 1) {
        c.allReduce(data.slice(0, 11));
      } else {
        c.allReduce(data);
      }
      c.barrier();
      c.barrier();
    }
  }
}

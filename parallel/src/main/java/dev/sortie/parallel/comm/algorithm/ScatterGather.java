package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.message.Transfer;
import java.lang.foreign.MemorySegment;

/** The root deals out one slice to each member, then all gather the slices (van de Geijn). */
final class ScatterGather {
  private ScatterGather() {}

  /** 2(p−1)α + 2(p−1)/p·nβ. */
  static double cost(long n, int p, LinkSpeed speed) {
    return speed.seconds(2 * (p - 1), 2 * (p - 1.0) / p * n, 0);
  }

  static void broadcast(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.Broadcast) call).data().memory();
    Slices slices = context.slices(data);
    if (context.position() == call.root()) {
      Transfer[] all = new Transfer[context.size() - 1];
      for (int i = 1; i < context.size(); i++) {
        all[i - 1] = context.to(context.ring(i), slices.get(context.ring(i)));
      }
      context.run(all);
    } else {
      context.receive(call.root(), slices.get(context.position()));
    }
    Exchange.gather(slices, context);
  }
}

package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;

/** Collectives of a group of one: the sum of one is itself. */
final class Alone {
  private Alone() {}

  static void run(Collective call) {
    switch (call) {
      case Collective.ReduceScatter r -> r.mine().memory().copyFrom(r.all().memory());
      case Collective.AllGather g -> g.all().memory().copyFrom(g.mine().memory());
      case Collective.Broadcast b -> {}
      case Collective.AllReduce a -> {}
      case Collective.Barrier b -> {}
    }
  }
}

package dev.sortie.eetuning.doctor;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Order;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.Map;

/** The links between the ranks of a job, and the algorithms that the cost model takes on them. */
public final class LinksTopic {
  private LinksTopic() {}

  /** Looks at a communicator; asks nothing of the other ranks. */
  public static Topic of(String transport, Communicator communicator) {
    LinkSpeed speed = communicator.speed();
    Topic topic = new Topic("links").fact("ranks", communicator.size());
    if (communicator.size() == 1) {
      return topic;
    }
    topic
        .fact("transport", transport)
        .fact("latency_microseconds", rounded(speed.latency() * 1e6))
        .fact("gigabytes_per_second", rounded(1e-9 / speed.perByte()))
        .fact("added_gigabytes_per_second", rounded(1e-9 / speed.perByteAdded()));
    Map<String, Object> reduce = new LinkedHashMap<>();
    Map<String, Object> gather = new LinkedHashMap<>();
    for (long bytes = 1 << 10; bytes <= 64 << 20; bytes *= 16) {
      String size = bytes < 1 << 20 ? (bytes >> 10) + " KiB" : (bytes >> 20) + " MiB";
      try (Arena arena = Arena.ofConfined()) {
        Elements mine = new Elements(ElementType.F32, arena.allocate(bytes, 64));
        Elements all =
            new Elements(ElementType.F32, arena.allocate(bytes * communicator.size(), 64));
        reduce.put(
            size, communicator.algorithm(new Collective.AllReduce(mine, Order.ASCENDING)).label());
        gather.put(size, communicator.algorithm(new Collective.AllGather(mine, all)).label());
      }
    }
    return topic.fact("all_reduce", reduce).fact("all_gather", gather);
  }

  private static double rounded(double value) {
    return Math.round(value * 100) / 100.0;
  }
}

package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * One rank in a JVM of its own. Prints {@code ready}, then either checks all collectives and ends,
 * or sums until something fails and prints why.
 */
final class RankProcess {
  private RankProcess() {}

  /** Arguments: what to do, folder, job, rank, world. */
  public static void main(String[] args) {
    int rank = Integer.parseInt(args[3]);
    int world = Integer.parseInt(args[4]);
    try (Transport transport =
            SharedMemoryTransport.join(
                new SharedMemoryTransport.Options(
                    Path.of(args[1]),
                    args[2],
                    rank,
                    world,
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(2)));
        Communicator c = GroupCommunicator.over(transport, CommOptions.defaults())) {
      System.out.println("ready");
      if (args[0].equals("check")) {
        for (ElementType type : ElementType.values()) {
          new CommunicatorContract.Exactness(c, type, Order.ASCENDING).all(20_011);
        }
        System.out.println("checked");
      } else {
        sumForEver(c);
      }
    } catch (CommException e) {
      System.out.println(e.kind() + " " + e.getMessage());
    }
  }

  private static void sumForEver(Communicator c) {
    try (Arena arena = Arena.ofShared()) {
      Elements data = new Elements(ElementType.F32, arena.allocate(4 * 100_000));
      while (true) {
        c.allReduce(data);
      }
    }
  }

  /** Starts the ranks of a job. */
  static List<Process> start(String task, Path folder, String job, int world) throws IOException {
    List<Process> processes = new ArrayList<>();
    for (int rank = 0; rank < world; rank++) {
      processes.add(
          Processes.start(RankProcess.class, task, folder.toString(), job, rank + "", world + "")
              .process());
    }
    return processes;
  }
}

package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;

/**
 * A rank in a JVM of its own that makes calls of all kinds, the same ones as the other ranks, until
 * something fails; then it prints one line that says why, and exits with code 3.
 */
public final class FaultyRank {
  static final byte[] SECRET = "a secret of these tests".getBytes(StandardCharsets.US_ASCII);
  static final Duration JOINING = Duration.ofSeconds(10);
  static final Duration SILENCE = Duration.ofSeconds(4);

  private FaultyRank() {}

  /** Arguments: transport, folder, job, port, rank, world, seed. */
  public static void main(String[] args) {
    int rank = Integer.parseInt(args[4]);
    int world = Integer.parseInt(args[5]);
    int port = Integer.parseInt(args[3]);
    try (Transport transport =
            args[0].equals("tcp")
                ? tcp(port, rank, world)
                : SharedMemoryTransport.join(
                    new SharedMemoryTransport.Options(
                        Path.of(args[1]), args[2], rank, world, JOINING, SILENCE));
        Communicator c = GroupCommunicator.over(transport, CommOptions.defaults())) {
      System.out.println("ready");
      call(c, Long.parseLong(args[6]), Integer.MAX_VALUE);
    } catch (CommException e) {
      System.out.println(e.kind() + " " + e.getMessage());
      System.exit(3);
    }
  }

  private static Transport tcp(int port, int rank, int world) {
    InetSocketAddress master = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    return TcpTransport.join(
        new TcpTransport.Options(master, rank, world, SECRET, 0, JOINING, SILENCE));
  }

  /** Calls of random kinds and lengths, some of them in memory that all see. */
  public static void call(Communicator c, long seed, int calls) {
    Random random = new Random(seed);
    Operation[] operations = Operation.values();
    try (Arena arena = Arena.ofShared()) {
      Elements own = new Elements(ElementType.F32, arena.allocate(4 * 300_000, 64));
      for (int i = 0; i < calls; i++) {
        if (i % 100 == 0) {
          own = i < 1000 ? new Elements(ElementType.F32, c.allocate(4 * 300_000)) : own;
        }
        Operation operation = operations[random.nextInt(operations.length)];
        long count = random.nextInt(20_000);
        if (operation == Operation.ALL_REDUCE) {
          c.allReduce(own.slice(0, 10 * count));
        } else {
          new CommunicatorContract.Exactness(c, ElementType.F32, Order.ANY).one(operation, count);
        }
      }
    }
  }
}

package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.hierarchical.HierarchicalTransport;
import dev.sortie.parallel.comm.transport.hierarchical.HostIdentity;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/** A rank in a JVM of its own on one of several hosts; prints what it got over which transport. */
final class HostRank {
  private HostRank() {}

  /** Arguments: address and port of rank 0, rank, world, name of the host, folder. */
  public static void main(String[] args) {
    InetSocketAddress master = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
    TcpTransport.Options options =
        new TcpTransport.Options(
            master,
            Integer.parseInt(args[2]),
            Integer.parseInt(args[3]),
            FaultyRank.SECRET,
            0,
            Duration.ofSeconds(30),
            Duration.ofSeconds(10));
    try (Transport transport =
            HierarchicalTransport.join(options, Path.of(args[5]), new HostIdentity(args[4]));
        Communicator c = GroupCommunicator.over(transport, CommOptions.defaults())) {
      for (ElementType type : ElementType.values()) {
        new ExactnessContract.Exactness(c, type, Order.ANY).all(5003);
      }
      String digest = LeftFold.digest(c);
      System.out.println(digest + " over " + transport.name());
    } catch (CommException e) {
      System.out.println(e.kind() + " " + e.getMessage());
      System.exit(3);
    }
  }
}

package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How ranks that only know rank 0's address find each other: all join there, then rank 0 tells all
 * where all listen, or why they cannot begin.
 */
final class Rendezvous implements AutoCloseable {
  private final Transport transport;
  private final TcpTransport.Options options;
  private final Handshake handshake;
  private final Caller caller;
  private Listener listener;

  Rendezvous(
      Transport transport, TcpTransport.Options options, Handshake handshake, Caller caller) {
    this.transport = transport;
    this.options = options;
    this.handshake = handshake;
    this.caller = caller;
  }

  /** Takes the connections of this rank's peers; there is one after the ranks have met. */
  Listener listener() {
    return listener;
  }

  /**
   * Meets the others.
   *
   * @param addresses gets where each rank listens
   * @return the connections that came about: on rank 0 to all, elsewhere to rank 0
   */
  Wire[] meet(InetSocketAddress[] addresses) throws IOException {
    Wire[] wires = new Wire[options.world()];
    if (options.rank() == 0) {
      host(wires, addresses);
    } else {
      wires[0] = join();
      // longer than rank 0's own patience, which says whom it waits for
      int patience = Math.toIntExact(options.joining().toMillis()) + Caller.MILLIS;
      wires[0].socket().socket().setSoTimeout(patience);
      readAddresses(new DataInputStream(wires[0].in()), addresses);
    }
    return wires;
  }

  private void host(Wire[] wires, InetSocketAddress[] addresses) throws IOException {
    listener = new Listener(options.master(), handshake, options.tls(), options.world());
    try {
      awaitAll(wires, addresses);
    } catch (CommException e) {
      for (int peer = 1; peer < wires.length; peer++) {
        Map.Entry<Hello, Wire> joined = listener.takeJoining(peer);
        tell(joined == null ? wires[peer] : joined.getValue(), e);
      }
      throw e;
    }
    for (int peer = 1; peer < wires.length; peer++) {
      DataOutputStream out = new DataOutputStream(wires[peer].out());
      out.writeUTF(""); // nothing is wrong
      for (int i = 1; i < addresses.length; i++) {
        out.writeUTF(addresses[i].getAddress().getHostAddress());
        out.writeInt(addresses[i].getPort());
      }
      out.flush();
    }
  }

  private void awaitAll(Wire[] wires, InetSocketAddress[] addresses) throws IOException {
    Patience patience = new Patience(transport, options.joining());
    List<Integer> ranks = IntStream.range(0, wires.length).boxed().toList();
    int missing = wires.length - 1;
    while (missing > 0) {
      int before = missing;
      for (int peer = 1; peer < wires.length; peer++) {
        Map.Entry<Hello, Wire> joined = wires[peer] == null ? listener.takeJoining(peer) : null;
        if (joined != null) {
          wires[peer] = joined.getValue();
          InetSocketAddress seen = (InetSocketAddress) wires[peer].socket().getRemoteAddress();
          addresses[peer] = new InetSocketAddress(seen.getAddress(), joined.getKey().stream());
          missing--;
        }
      }
      if (missing == before) {
        patience.pause(() -> Roll.call(0, ranks, i -> i == 0 || wires[i] != null));
      }
    }
  }

  private static void tell(Wire wire, CommException trouble) {
    if (wire != null) {
      try (wire) {
        new DataOutputStream(wire.out()).writeUTF(trouble.getMessage());
      } catch (IOException e) {
        trouble.addSuppressed(e); // that rank has gone, too
      }
    }
  }

  /**
   * Rank 0 may not listen yet, and what is in between (a proxy, a service that has no rank yet) may
   * take the connection and end it.
   */
  private Wire join() throws IOException {
    InetSocketAddress named = options.master();
    Patience patience = new Patience(transport, options.joining());
    while (true) {
      String trouble;
      try {
        SocketChannel socket =
            Caller.connect(new InetSocketAddress(named.getHostString(), named.getPort()));
        InetSocketAddress here = (InetSocketAddress) socket.getLocalAddress();
        if (listener == null) {
          InetSocketAddress anyPort = new InetSocketAddress(here.getAddress(), 0);
          listener = new Listener(anyPort, handshake, options.tls(), options.world());
        }
        Hello hello = new Hello(Hello.Purpose.JOIN, options.rank(), listener.port(), "");
        return caller.say(socket, hello);
      } catch (Handshake.RefusedException e) {
        throw e;
      } catch (IOException e) {
        trouble = e.getMessage() == null ? "the connection ended" : e.getMessage();
      }
      patience.pause(
          () -> "rank %d waits for rank 0 at %s (%s)".formatted(options.rank(), named, trouble));
    }
  }

  private void readAddresses(DataInputStream in, InetSocketAddress[] addresses) throws IOException {
    addresses[0] = options.master();
    try {
      String trouble = in.readUTF();
      if (!trouble.isEmpty()) {
        throw new IOException(trouble);
      }
      for (int i = 1; i < addresses.length; i++) {
        addresses[i] = new InetSocketAddress(in.readUTF(), in.readInt());
      }
    } catch (EOFException e) {
      throw new IOException("rank 0 has ended while the others join", e);
    }
  }

  @Override
  public void close() {
    if (listener != null) {
      listener.close();
    }
  }
}

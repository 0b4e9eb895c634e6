package dev.sortie.parallel.comm.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Connections that have not proved that they belong to the job. There are at most so many of them,
 * each for at most {@link #PROOF_NANOS} however it trickles; when another one comes, the oldest
 * goes: a rank proves itself within milliseconds, so that one which floods the listener cannot keep
 * ranks out. The first refusals are logged one by one, the others by number.
 */
final class PendingConnections {
  private static final int FEWEST = 64;
  static final long PROOF_NANOS = 5_000_000_000L;
  private static final int LOGGED = 20;
  private static final long SUMMARY_NANOS = 10_000_000_000L;

  private final int most;
  private final Consumer<String> log;
  private final Map<SocketChannel, Long> since = new LinkedHashMap<>();
  private long refused;
  private long logged;
  private long lastLogged;

  /**
   * @param world ranks of the job: all may come at once, with several connections each
   * @param log takes a line for what was refused
   */
  PendingConnections(int world, Consumer<String> log) {
    this.most = Math.max(FEWEST, 4 * world);
    this.log = log;
  }

  void enter(SocketChannel socket) {
    SocketChannel oldest = null;
    synchronized (this) {
      if (since.size() == most) {
        oldest = since.keySet().iterator().next();
        since.remove(oldest);
      }
      since.put(socket, System.nanoTime());
    }
    if (oldest != null) {
      refuse(oldest, most + " others have come since and it has not proved that it is a rank");
    }
  }

  /** It has proved that it is a rank; false if it was refused meanwhile. */
  synchronized boolean leave(SocketChannel socket) {
    return since.remove(socket) != null;
  }

  /** Refuses those that have taken too long. */
  void sweep() {
    List<SocketChannel> late = new ArrayList<>();
    synchronized (this) {
      long now = System.nanoTime();
      since.forEach(
          (socket, from) -> {
            if (now - from > PROOF_NANOS) {
              late.add(socket);
            }
          });
      late.forEach(since::remove);
    }
    for (SocketChannel socket : late) {
      refuse(socket, "it has not proved within 5 s that it is a rank");
    }
  }

  /** Refuses one if it was not before. */
  void refuse(SocketChannel socket, IOException why) {
    if (leave(socket)) {
      refuse(socket, String.valueOf(why.getMessage()));
    }
  }

  private void refuse(SocketChannel socket, String why) {
    // logged first: a peer that sees the end of the connection finds the line
    try {
      String line = line(address(socket), why);
      if (line != null) {
        log.accept(line);
      }
    } finally {
      close(socket);
    }
  }

  private synchronized String line(String address, String why) {
    refused++;
    long now = System.nanoTime();
    if (refused > LOGGED && now - lastLogged < SUMMARY_NANOS) {
      return null;
    }
    String line = "refused a connection from %s: %s".formatted(address, why);
    long silent = refused - logged - 1;
    logged = refused;
    lastLogged = now;
    return silent == 0 ? line : "%s; %d more since the last line".formatted(line, silent);
  }

  private static String address(SocketChannel socket) {
    try {
      return socket.getRemoteAddress() instanceof InetSocketAddress address
          ? address.getAddress().getHostAddress() + ":" + address.getPort()
          : "somewhere";
    } catch (IOException e) {
      return "somewhere";
    }
  }

  /** Refuses all without a word: the listener is closed. */
  synchronized void close() {
    since.keySet().forEach(PendingConnections::close);
    since.clear();
  }

  static void close(SocketChannel socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new IllegalStateException("closing a socket cannot fail", e);
    }
  }
}

package dev.sortie.parallel.comm.transport.tcp;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * Takes {@link Link}s. Who does not prove the secret in time is refused and logged, as a rank's
 * listener does.
 */
public final class LinkListener implements AutoCloseable {
  private final Listener listener;

  /**
   * Begins to listen.
   *
   * @param address port 0 takes a free one
   * @throws IOException if that is not possible
   */
  public LinkListener(InetSocketAddress address, LinkKeys keys) throws IOException {
    this.listener = new Listener(address, keys.handshake(), keys.tls(), 1);
  }

  /** Where it listens. */
  public int port() throws IOException {
    return listener.port();
  }

  /** Waits for the next link; empty once this is closed. */
  public Optional<Link> take() throws InterruptedException {
    return listener.takeLink().map(Link::new);
  }

  @Override
  public void close() {
    listener.close();
  }
}

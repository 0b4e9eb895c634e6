package dev.sortie.parallel.launch;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A transport that fails when the launcher of this rank has died: nobody reads its output or would
 * end it any more.
 */
final class LaunchedTransport implements Transport {
  private static final long PERIOD_MILLIS = 500;

  private final Transport transport;
  private final CountDownLatch closed = new CountDownLatch(1);

  /**
   * @param launcher number of a process; not watched if there is none such now, as in a container
   *     that numbers processes otherwise
   */
  LaunchedTransport(Transport transport, long launcher) {
    this.transport = transport;
    ProcessHandle.of(launcher)
        .ifPresent(
            handle ->
                Thread.ofPlatform()
                    .daemon()
                    .name("sortie-launcher-watch")
                    .start(() -> watch(handle)));
  }

  private void watch(ProcessHandle launcher) {
    try {
      while (!closed.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
        if (!launcher.isAlive()) {
          transport.fail(
              new Failure(
                  CommException.Kind.ABORTED,
                  "rank %d gives up: its launcher (process %d) has died"
                      .formatted(rank().value(), launcher.pid())));
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody interrupts but a JVM that ends
    }
  }

  @Override
  public String name() {
    return transport.name();
  }

  @Override
  public GlobalRank rank() {
    return transport.rank();
  }

  @Override
  public int world() {
    return transport.world();
  }

  @Override
  public int neighbours() {
    return transport.neighbours();
  }

  @Override
  public Endpoint open(String id, Group group, Duration deadline) {
    return transport.open(id, group, deadline);
  }

  @Override
  public void fail(Failure failure) {
    transport.fail(failure);
  }

  @Override
  public Optional<Failure> failure() {
    return transport.failure();
  }

  @Override
  public void close() {
    closed.countDown();
    transport.close();
  }
}

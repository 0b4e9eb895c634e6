package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A thread that gives this rank's sign of life and looks for the others': a process that is gone is
 * noticed within {@link #PERIOD}, one that is stopped or out of sight after the silence allowed.
 */
final class Watch implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofMillis(100);

  private final SharedMemoryTransport transport;
  private final Control control;
  private final int rank;
  private final Duration silence;
  private final long[] beats;
  private final long[] heard;
  private final ProcessHandle[] processes;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  Watch(SharedMemoryTransport transport, Control control, Duration silence) {
    this.transport = transport;
    this.control = control;
    this.rank = transport.place();
    this.silence = silence;
    this.beats = new long[transport.world()];
    this.heard = new long[transport.world()];
    this.processes = new ProcessHandle[transport.world()];
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("sortie-watch-" + transport.rank().value())
            .unstarted(this::run);
  }

  void start() {
    for (int i = 0; i < beats.length; i++) {
      heard[i] = System.nanoTime();
      processes[i] = control.handle(i).orElse(null);
    }
    thread.start();
  }

  private void run() {
    try {
      while (!closed.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS)) {
        control.beat(rank);
        for (int i = 0; i < beats.length; i++) {
          if (i != rank) {
            lost(i).ifPresent(transport::fail);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody interrupts but a JVM that ends
    }
  }

  private Optional<Failure> lost(int peer) {
    long now = System.nanoTime();
    long beat = control.beatOf(peer);
    if (beat != beats[peer]) {
      beats[peer] = beat;
      heard[peer] = now;
    }
    if (beat == ControlLayout.LEFT) {
      return Optional.empty();
    }
    if (processes[peer] != null && !processes[peer].isAlive()) {
      return lost(peer, "has died");
    }
    long quiet = now - heard[peer];
    if (quiet > silence.toNanos()) {
      return lost(peer, "has shown no sign of life for " + quiet / 1_000_000 + " ms");
    }
    return Optional.empty();
  }

  private Optional<Failure> lost(int peer, String how) {
    return Optional.of(
        new Failure(
            CommException.Kind.LOST_RANK,
            "rank %d (process %d) %s".formatted(transport.name(peer), control.process(peer), how)));
  }

  @Override
  public void close() {
    closed.countDown();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

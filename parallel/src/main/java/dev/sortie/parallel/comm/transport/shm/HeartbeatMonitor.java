package dev.sortie.parallel.comm.transport.shm;

import dev.sortie.parallel.comm.transport.Failure;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A thread that gives this rank's sign of life and looks for the others': a process that is gone is
 * noticed within {@link #PERIOD}, one that is stopped or out of sight after the silence allowed.
 * Silence is counted in periods of this thread: where all were stopped, as on a machine that
 * sleeps, nobody has been silent.
 */
final class HeartbeatMonitor implements AutoCloseable {
  private static final Duration PERIOD = Duration.ofMillis(100);

  private final SharedMemoryTransport transport;
  private final Control control;
  private final int rank;
  private final long allowed;
  private final long[] beats;
  private final long[] quiet;
  private final ProcessHandle[] processes;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;

  HeartbeatMonitor(SharedMemoryTransport transport, Control control, Duration silence) {
    this.transport = transport;
    this.control = control;
    this.rank = transport.place();
    this.allowed = silence.dividedBy(PERIOD);
    this.beats = new long[transport.world()];
    this.quiet = new long[transport.world()];
    this.processes = new ProcessHandle[transport.world()];
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .name("sortie-watch-" + transport.rank().value())
            .unstarted(this::run);
  }

  void start() {
    for (int i = 0; i < beats.length; i++) {
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
    long beat = control.beatOf(peer);
    quiet[peer] = beat == beats[peer] ? quiet[peer] + 1 : 0;
    beats[peer] = beat;
    if (beat == ControlLayout.LEFT) {
      return Optional.empty();
    }
    if (processes[peer] != null ? !processes[peer].isAlive() : control.isGone(peer)) {
      return Optional.of(transport.lost(peer, "has died"));
    }
    if (quiet[peer] > allowed) {
      long millis = quiet[peer] * PERIOD.toMillis();
      return Optional.of(transport.lost(peer, "has shown no sign of life for " + millis + " ms"));
    }
    return Optional.empty();
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

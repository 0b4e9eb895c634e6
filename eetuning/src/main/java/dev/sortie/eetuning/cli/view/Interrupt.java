package dev.sortie.eetuning.cli.view;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C and SIGTERM into a wish to stop: long work finishes its step and saves. The JVM
 * waits in its shutdown hook until the work has ended, at most a minute.
 */
public final class Interrupt implements AutoCloseable {
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "sortie-interrupt");
  private final Runnable onWish;
  private volatile boolean wanted;

  public Interrupt() {
    this(() -> {});
  }

  /**
   * @param onWish runs when the user wants to stop
   */
  public Interrupt(Runnable onWish) {
    this.onWish = onWish;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** Whether the user wants to stop. */
  public boolean wanted() {
    return wanted;
  }

  private void stop() {
    wanted = true;
    onWish.run();
    try {
      ended.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    ended.countDown();
    if (!wanted) {
      Runtime.getRuntime().removeShutdownHook(hook);
    }
  }
}

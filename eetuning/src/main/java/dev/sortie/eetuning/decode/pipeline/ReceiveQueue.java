package dev.sortie.eetuning.decode.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * What comes from other ranks while this one computes, in the order of its coming. A thread for
 * each sender takes messages in at once, so that no sender ever waits for this rank's work: stages
 * that wait for each other in a circle cannot be. What can pile up is bounded by the texts: the
 * chunks of their prompts, and a stable batch of tokens each.
 */
final class ReceiveQueue<T> implements AutoCloseable {
  private final BlockingQueue<Object> queue = new LinkedBlockingQueue<>();
  private final List<Thread> threads = new ArrayList<>();

  /** Why nothing more comes: a {@link RuntimeException} or an {@link Error}. */
  private record Failure(Throwable reason) {}

  /**
   * Listens to a sender.
   *
   * @param receive waits for its next message; null where none comes any more
   * @param last whether none comes after a message
   */
  void listen(String name, Supplier<T> receive, Predicate<T> last) {
    threads.add(
        Thread.ofPlatform()
            .daemon()
            .name(name)
            .start(
                () -> {
                  try {
                    T t;
                    do {
                      t = receive.get();
                      if (t != null) {
                        queue.add(t);
                      }
                    } while (t != null && !last.test(t));
                  } catch (RuntimeException | Error e) { // also where memory is short
                    queue.add(new Failure(e));
                  }
                }));
  }

  /** Delivers something of this rank's own. */
  void put(T message) {
    queue.add(message);
  }

  /** The next message, which is waited for. */
  T take() {
    try {
      return opened(queue.take());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for another rank", e);
    }
  }

  /** The next message, null where none has come. */
  T poll() {
    Object message = queue.poll();
    return message == null ? null : opened(message);
  }

  /** The next message, which stays; null where none has come. */
  T peek() {
    Object message = queue.peek();
    return message == null ? null : opened(message);
  }

  @SuppressWarnings("unchecked")
  private T opened(Object message) {
    if (message instanceof Failure f) {
      queue.add(f); // for whoever asks next
      if (f.reason() instanceof Error e) {
        throw e;
      }
      throw (RuntimeException) f.reason();
    }
    return (T) message;
  }

  /** Waits until all senders have said their last, or their link has failed. */
  @Override
  public void close() {
    for (Thread t : threads) {
      try {
        t.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

package dev.sortie.benchmarks.serve;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Clients that ask at the same time, each over a connection of its own. */
final class Clients implements AutoCloseable {
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /**
   * Asks for all at once, and waits for the last.
   *
   * @return in the order of the requests
   * @throws IllegalStateException if one failed
   */
  List<StreamedText> ask(URI server, List<StreamedRequest> requests) {
    List<Future<StreamedText>> asked = new ArrayList<>();
    try {
      requests.forEach(r -> asked.add(threads.submit(() -> StreamedText.ask(server, r))));
      List<StreamedText> texts = new ArrayList<>();
      for (Future<StreamedText> text : asked) {
        texts.add(text.get());
      }
      return texts;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a client failed: " + e.getCause(), e.getCause());
    }
  }

  @Override
  public void close() {
    threads.close();
  }
}

package dev.sortie.nn.hub;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer, taken piece by piece. A server that falls silent is given up: the HTTP
 * client's own time limit ends with the headers.
 */
final class TimedBody implements HttpResponse.BodySubscriber<TimedBody>, AutoCloseable {
  /** What may arrive. */
  private sealed interface Event {
    record Bytes(List<ByteBuffer> buffers) implements Event {}

    record End() implements Event {}

    record Failure(Throwable cause) implements Event {}
  }

  private final Duration silence;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

  TimedBody(Duration silence) {
    this.silence = silence;
  }

  /**
   * The next bytes, or nothing at the end.
   *
   * @throws TransientException if the connection broke or the server fell silent
   */
  List<ByteBuffer> next() throws TransientException {
    subscription.join().request(1);
    try {
      return switch (events.poll(silence.toMillis(), TimeUnit.MILLISECONDS)) {
        case null ->
            throw new TransientException(
                "nothing came for %s s".formatted(silence.toMillis() / 1000.0));
        case Event.Bytes bytes -> bytes.buffers();
        case Event.End end -> List.of();
        case Event.Failure(Throwable cause) ->
            throw new TransientException(
                "the connection broke (" + HubClient.reason(cause) + ")", Optional.empty(), cause);
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TransientException("interrupted", Optional.empty(), e);
    }
  }

  /**
   * All of it.
   *
   * @throws TransientException if the connection broke, or more than {@code limit} bytes came
   */
  byte[] all(int limit) throws TransientException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (List<ByteBuffer> some = next(); !some.isEmpty(); some = next()) {
      for (ByteBuffer b : some) {
        byte[] bytes = new byte[b.remaining()];
        b.get(bytes);
        out.writeBytes(bytes);
      }
      if (out.size() > limit) {
        throw new TransientException("more than " + limit + " bytes of an answer came");
      }
    }
    return out.toByteArray();
  }

  @Override
  public CompletionStage<TimedBody> getBody() {
    return CompletableFuture.completedStage(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription s) {
    subscription.complete(s);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    events.add(new Event.Bytes(buffers));
  }

  @Override
  public void onError(Throwable cause) {
    events.add(new Event.Failure(cause));
  }

  @Override
  public void onComplete() {
    events.add(new Event.End());
  }

  /** Gives up the rest. */
  @Override
  public void close() {
    subscription.thenAccept(Flow.Subscription::cancel);
  }
}

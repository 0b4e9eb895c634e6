package dev.sortie.nn.hub;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer, taken piece by piece. A server that falls silent or crawls is given up:
 * the HTTP client's own time limit ends with the headers.
 */
final class TimedBody implements HttpResponse.BodySubscriber<TimedBody>, AutoCloseable {
  /** What may arrive. */
  private sealed interface Event {
    record Bytes(List<ByteBuffer> buffers) implements Event {}

    record End() implements Event {}

    record Failure(Throwable cause) implements Event {}
  }

  private final RetryPolicy policy;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

  /** Time waited since the pace was last measured, and bytes that came in it. */
  private long waited;

  private long came;

  TimedBody(RetryPolicy policy) {
    this.policy = policy;
  }

  /**
   * The next bytes, or nothing at the end.
   *
   * @throws TransientException if the connection broke, or the server fell silent or sends too
   *     little
   */
  List<ByteBuffer> next() throws TransientException {
    subscription.join().request(1);
    long from = System.nanoTime();
    try {
      return switch (events.poll(policy.silence().toMillis(), TimeUnit.MILLISECONDS)) {
        case null -> throw new TransientException("nothing came for %s s".formatted(seconds()));
        case Event.Bytes bytes -> {
          requirePace(bytes.buffers(), System.nanoTime() - from);
          yield bytes.buffers();
        }
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

  private void requirePace(List<ByteBuffer> buffers, long nanos) throws TransientException {
    waited += nanos;
    came += buffers.stream().mapToLong(ByteBuffer::remaining).sum();
    if (waited < policy.silence().toNanos()) {
      return;
    }
    if (came < policy.least()) {
      throw new TransientException(
          "only %d bytes came in %s s, at least %d are expected"
              .formatted(came, seconds(), policy.least()));
    }
    waited = 0;
    came = 0;
  }

  private double seconds() {
    return policy.silence().toMillis() / 1000.0;
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

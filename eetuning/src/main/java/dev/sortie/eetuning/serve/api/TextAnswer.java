package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.eetuning.serve.engine.TextEvent;
import dev.sortie.eetuning.serve.engine.TextEvents;
import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.eetuning.serve.metric.ServerMetrics;
import dev.sortie.nn.InputException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;

/**
 * Brings texts from the engine to one client, streamed or whole. A client that leaves takes its
 * texts with it, wherever they are: waiting, being read or being generated.
 */
final class TextAnswer {
  /** Silence after which a stream says that it is alive. */
  private static final Duration PING = Duration.ofSeconds(10);

  private static final int LONGEST_RETRY = 60;

  private final HttpExchange exchange;
  private final Maker maker;
  private final long start;
  private final TextEvent.End[] ends;
  private TextEvents texts;
  private boolean begun;

  private TextAnswer(ApiRequest request, Maker maker, int count) {
    this.exchange = request.exchange();
    this.start = request.start();
    this.maker = maker;
    this.ends = new TextEvent.End[count];
  }

  /**
   * What all answers have in common.
   *
   * @param most time that one answer may take
   */
  record Maker(TextEngine engine, ServerMetrics metrics, Duration most) {

    /** Asks for texts and sends them, streamed or whole. */
    void send(ApiRequest request, List<Request> requests, AnswerShape shape, boolean streamed)
        throws InterruptedException {
      if (streamed) {
        begin(request, requests).stream(shape);
      } else {
        whole(request, requests, shape);
      }
    }

    /** Asks for texts and sends them whole. */
    void whole(ApiRequest request, List<Request> requests, WholeShape shape)
        throws InterruptedException {
      begin(request, requests).whole(shape);
    }

    private TextAnswer begin(ApiRequest request, List<Request> requests) {
      TextAnswer answer = new TextAnswer(request, this, requests.size());
      answer.texts = answer.ask(requests);
      request.exchange().whenGone(answer.texts::cancel);
      return answer;
    }
  }

  private TextEvents ask(List<Request> requests) {
    try {
      return maker.engine().ask(requests);
    } catch (InputException e) {
      throw ApiError.invalid(null, e.getMessage());
    } catch (RejectedExecutionException e) {
      int rounds = maker.engine().waiting() / maker.engine().settings().parallel();
      throw ApiError.busy(Math.min(LONGEST_RETRY, 1 + rounds), e.getMessage());
    }
  }

  private void whole(WholeShape shape) throws InterruptedException {
    for (int open = ends.length; open > 0; ) {
      Optional<TextEvent> event = next(Duration.ofDays(1));
      if (event.isPresent() && note(event.get())) {
        open--;
      }
    }
    if (!exchange.isGone()) {
      JsonAnswer.send(exchange, 200, shape.whole(List.of(ends)));
    }
  }

  private void stream(AnswerShape shape) throws InterruptedException {
    EventStream out = EventStream.begin(exchange, Map.of());
    try {
      boolean there = sent(out, shape.begin());
      for (int open = ends.length; open > 0; ) {
        Optional<TextEvent> event = next(PING);
        if (event.isEmpty()) {
          there &= out.ping();
        } else {
          open -= note(event.get()) ? 1 : 0;
          there &= sent(out, events(shape, event.get(), open));
        }
        if (!there) {
          texts.cancel(); // also where the client reads too slowly; the ends still come
        }
      }
      if (shape.endsWithDone()) {
        out.done();
      }
    } catch (ApiError e) {
      out.send(new AnswerEvent(e.json()));
    }
    out.end();
  }

  /** What is sent for an event, behind which some texts have not ended. */
  private List<AnswerEvent> events(AnswerShape shape, TextEvent event, int open) {
    return switch (event) {
      case TextEvent.Token t -> shape.token(t.text(), t.token());
      case TextEvent.End e ->
          shape.end(e, open == 0 ? Optional.of(List.of(ends)) : Optional.empty());
      case TextEvent.Failure _ -> List.of();
    };
  }

  private static boolean sent(EventStream out, List<AnswerEvent> events) {
    return events.stream().allMatch(out::send);
  }

  /** The next event; nothing if none comes within {@code most}. */
  private Optional<TextEvent> next(Duration most) throws InterruptedException {
    long left = start + maker.most().toNanos() - System.nanoTime();
    if (left <= 0) {
      texts.cancel();
      maker.metrics().timeouts(Arrays.stream(ends).filter(Objects::isNull).count());
      throw ApiError.timeout("the answer took too long; ask for fewer tokens");
    }
    return texts.next(Duration.ofNanos(Math.min(left, most.toNanos())));
  }

  /** Keeps the end of a text; whether this was one. */
  private boolean note(TextEvent event) {
    switch (event) {
      case TextEvent.Token t -> {
        if (!begun) {
          maker.metrics().firstToken((System.nanoTime() - start) * 1e-9);
          begun = true;
        }
        maker.metrics().token(t.token());
        return false;
      }
      case TextEvent.End e -> {
        maker.metrics().end(e);
        ends[e.text()] = e;
        return true;
      }
      case TextEvent.Failure f -> {
        maker.metrics().failure();
        texts.cancel();
        throw error(f.cause());
      }
    }
  }

  private static ApiError error(Throwable cause) {
    return switch (cause) {
      case InputException e -> ApiError.of(500, "generation_failed", e.getMessage());
      case CancellationException _, RejectedExecutionException _ ->
          ApiError.unavailable(1, "the server is stopping");
      default -> {
        System.getLogger(TextAnswer.class.getName())
            .log(System.Logger.Level.ERROR, "a text failed", cause);
        yield ApiError.internal();
      }
    };
  }
}

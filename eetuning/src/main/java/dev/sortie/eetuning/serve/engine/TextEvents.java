package dev.sortie.eetuning.serve.engine;

import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.batch.RequestHandle;
import dev.sortie.eetuning.decode.batch.Scheduler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Texts that were asked for together, as they come. The scheduler never waits for whoever takes
 * events: of each text there are no more than its tokens and its end. Events are taken by one
 * thread; any thread may cancel.
 */
public final class TextEvents {
  private final BlockingQueue<TextEvent> events = new LinkedBlockingQueue<>();
  private final List<RequestHandle> handles = new ArrayList<>();

  private TextEvents() {}

  /** Asks for all of these texts or, where one is refused, for none. */
  static TextEvents of(Scheduler scheduler, List<Request> requests) {
    TextEvents stream = new TextEvents();
    try {
      for (Request request : requests) {
        stream.add(scheduler, request);
      }
    } catch (RuntimeException e) {
      stream.cancel();
      throw e;
    }
    return stream;
  }

  private void add(Scheduler scheduler, Request request) {
    int text = handles.size();
    RequestHandle handle =
        scheduler.submit(request.heardBy(token -> events.add(new TextEvent.Token(text, token))));
    handles.add(handle);
    handle
        .result()
        .whenComplete(
            (generation, failure) ->
                events.add(
                    failure == null
                        ? new TextEvent.End(text, generation, handle.found())
                        : new TextEvent.Failure(text, failure)));
  }

  /** How many texts there are. */
  public int texts() {
    return handles.size();
  }

  /** The next event, if one comes in time. */
  public Optional<TextEvent> next(Duration most) throws InterruptedException {
    return Optional.ofNullable(events.poll(most.toNanos(), TimeUnit.NANOSECONDS));
  }

  /** Ends all texts with what there is; their ends still come. */
  public void cancel() {
    handles.forEach(RequestHandle::cancel);
  }
}

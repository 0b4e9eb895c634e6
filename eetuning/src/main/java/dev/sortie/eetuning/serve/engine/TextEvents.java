package dev.sortie.eetuning.serve.engine;

import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.batch.RequestHandle;
import dev.sortie.eetuning.decode.batch.Scheduler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Texts that were asked for together, as they come. Some of them wait or are generated at a time;
 * when one ends, the next takes its place, so that many texts need no more room in the queue than a
 * few. The scheduler never waits for whoever takes events: of each text there are no more than its
 * tokens and its end. Events are taken by one thread; any thread may cancel.
 */
public final class TextEvents {
  private final BlockingQueue<TextEvent> events = new LinkedBlockingQueue<>();
  private final Scheduler scheduler;
  private final List<Request> requests;

  /** Of the texts that the scheduler was asked for: the first of them. */
  private final List<RequestHandle> handles = new ArrayList<>();

  private boolean cancelled;

  private TextEvents(Scheduler scheduler, List<Request> requests) {
    this.scheduler = scheduler;
    this.requests = List.copyOf(requests);
  }

  /**
   * Asks for all of these texts or, where one is refused, for none.
   *
   * @param together how many may wait or be generated at a time
   */
  static TextEvents of(Scheduler scheduler, List<Request> requests, int together) {
    requests.forEach(scheduler::check);
    TextEvents stream = new TextEvents(scheduler, requests);
    try {
      for (int i = 0; i < Math.min(together, requests.size()); i++) {
        stream.ask(scheduler::submit);
      }
    } catch (RuntimeException e) {
      stream.cancel();
      throw e;
    }
    return stream;
  }

  /** Asks for the next text, if there is one. */
  private synchronized void ask(Function<Request, RequestHandle> submit) {
    int text = handles.size();
    if (cancelled || text == requests.size()) {
      return;
    }
    Request request = requests.get(text);
    RequestHandle handle =
        submit.apply(request.heardBy(token -> events.add(new TextEvent.Token(text, token))));
    handles.add(handle);
    handle
        .result()
        .whenComplete(
            (generation, failure) -> {
              events.add(
                  failure == null
                      ? new TextEvent.End(text, generation, handle.read(), handle.found())
                      : new TextEvent.Failure(text, failure));
              askInItsPlace();
            });
  }

  private synchronized void askInItsPlace() {
    try {
      ask(scheduler::submitInPlace);
    } catch (RejectedExecutionException e) { // it is closed
      for (int text = handles.size(); text < requests.size(); text++) {
        events.add(new TextEvent.Failure(text, e));
      }
      cancelled = true;
    }
  }

  /** The next event, if one comes in time. */
  public Optional<TextEvent> next(Duration most) throws InterruptedException {
    return Optional.ofNullable(events.poll(most.toNanos(), TimeUnit.NANOSECONDS));
  }

  /** Ends all texts with what there is; their ends still come. */
  public synchronized void cancel() {
    handles.forEach(RequestHandle::cancel);
    for (int text = handles.size(); !cancelled && text < requests.size(); text++) {
      int[] prompt = requests.get(text).prompt();
      Generation nothing = new Generation(prompt, List.of(), "", "cancelled", 0, 0);
      events.add(new TextEvent.End(text, nothing, 0, 0));
    }
    cancelled = true;
  }
}

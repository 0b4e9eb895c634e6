package dev.sortie.eetuning.decode.batch;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;

/**
 * What a {@link Scheduler} is asked for by other threads: requests that wait for one of its places,
 * and pieces of other work. Thread-safe; only the thread of rounds takes anything out.
 */
final class Waitlist {
  /**
   * One owner may wait with at most so many times the requests that could still wait: alone with
   * three quarters of all places, so that others find some. A dynamic threshold, as switches have
   * it for their buffers (Choudhury and Hahne, 1998).
   */
  private static final int SHARE = 3;

  private final Scheduler.Limits limits;
  private final FairQueue<RequestHandle> requests = new FairQueue<>();
  private final Queue<FutureTask<?>> pieces = new ArrayDeque<>();

  /** Places that are taken. */
  private int running;

  private boolean closed;

  Waitlist(Scheduler.Limits limits) {
    this.limits = limits;
  }

  /**
   * Adds a request.
   *
   * @throws RejectedExecutionException if too many wait already, in all or of this owner, or this
   *     is closed
   */
  synchronized RequestHandle add(Request request) {
    int left = limits.waiting() + free() - requests.size();
    if (left <= 0) {
      throw new RejectedExecutionException(
          requests.size()
              + " requests wait and "
              + running
              + " are being answered, which are the most; ask again later");
    }
    int own = requests.size(request.owner()) - free();
    if (own >= SHARE * left) {
      throw new RejectedExecutionException(
          "%d requests of this client wait, which are the most while %d more may wait; ask again later"
              .formatted(own, left));
    }
    return addInPlace(request);
  }

  /**
   * Adds a request, however many wait.
   *
   * @throws RejectedExecutionException if this is closed
   */
  synchronized RequestHandle addInPlace(Request request) {
    requireOpen("no more texts are generated here");
    RequestHandle handle = new RequestHandle(request);
    requests.add(request.owner(), handle);
    notifyAll();
    return handle;
  }

  /**
   * Adds a piece of other work.
   *
   * @throws RejectedExecutionException if this is closed
   */
  synchronized <T> Future<T> add(Callable<T> piece) {
    requireOpen("nothing is computed here any more");
    FutureTask<T> task = new FutureTask<>(piece);
    pieces.add(task);
    notifyAll();
    return task;
  }

  private void requireOpen(String refusal) {
    if (closed) {
      throw new RejectedExecutionException(refusal);
    }
  }

  private int free() {
    return limits.running() - running;
  }

  /** Sleeps until there is something to do or this is closed, which an interrupt does. */
  synchronized void await() {
    while (requests.isEmpty() && pieces.isEmpty() && !closed) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        closed = true;
      }
    }
  }

  /** Takes the next piece of other work. */
  synchronized Optional<FutureTask<?>> takePiece() {
    return Optional.ofNullable(pieces.poll());
  }

  /** The request whose turn it is, if a place is free. */
  synchronized Optional<RequestHandle> next() {
    return free() > 0 ? requests.peek() : Optional.empty();
  }

  /** Gives the request whose turn it is a place. */
  synchronized void admit() {
    requests.remove();
    running++;
  }

  /** Frees a place. */
  synchronized void leave() {
    running--;
  }

  /** Takes out the requests that are wanted. */
  synchronized List<RequestHandle> removeIf(Predicate<RequestHandle> wanted) {
    return requests.removeIf(wanted);
  }

  /** Cancels all pieces of other work. */
  synchronized void cancelPieces() {
    pieces.forEach(task -> task.cancel(false));
    pieces.clear();
  }

  /** Requests that wait. */
  synchronized int waiting() {
    return requests.size();
  }

  /** Requests that wait or have a place. */
  synchronized int pending() {
    return running + requests.size();
  }

  synchronized boolean isClosed() {
    return closed;
  }

  /** Takes no more. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }
}

package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.Step;
import java.util.Optional;

/** A request that has its pages: first its prompt is read, then it is decoded. */
final class RequestState implements AutoCloseable {
  private final RequestHandle handle;
  private final BatchSequence sequence;
  private final GenerationState state;
  private final long start = System.nanoTime();
  private long prefilled;
  private long first;
  private GeneratedToken last;

  RequestState(RequestHandle handle, BatchSequence sequence, GenerationState state) {
    this.handle = handle;
    this.sequence = sequence;
    this.state = state;
  }

  RequestHandle handle() {
    return handle;
  }

  BatchSequence sequence() {
    return sequence;
  }

  /** Whether its prompt was read, so that it reads the tokens that it chose. */
  boolean decodes() {
    return last != null;
  }

  /** The token to be read next. */
  int token() {
    return last.id();
  }

  /** Whether {@link #choose} may run together with that of other texts. */
  boolean choosesAlone() {
    return !handle.request().readsOnly() && state.choosesAlone();
  }

  /** What is chosen from what follows the text so far; changes nothing. */
  int choose(Step step) {
    return state.choose(step);
  }

  /**
   * Chooses from what follows the text so far and tells the listener.
   *
   * @return why the text has ended, if it has
   */
  Optional<String> take(Step step) {
    return handle.request().readsOnly() ? read() : take(step, choose(step));
  }

  private Optional<String> read() {
    prefilled = System.nanoTime();
    return Optional.of("length");
  }

  /**
   * Takes what was chosen and tells the listener.
   *
   * @return why the text has ended, if it has
   */
  Optional<String> take(Step step, int chosen) {
    prefilled = decodes() ? prefilled : System.nanoTime();
    GeneratedToken token = state.next(step, chosen, handle::isCancelled);
    first = decodes() ? first : System.nanoTime();
    last = token;
    handle.request().listener().accept(token);
    return state.finish();
  }

  /** Ends the request with what there is. */
  void finish(String reason) {
    long now = System.nanoTime();
    double read = ((decodes() ? prefilled : now) - start) * 1e-9;
    double decoded = decodes() ? (now - first) * 1e-9 : 0;
    handle.read(Math.min(sequence.position(), handle.request().prompt().length));
    // memory first: who waits for the result may ask for the next text at once
    close();
    handle.result().complete(state.generation(reason, read, decoded));
  }

  /** Ends the request without a result. */
  void fail(Throwable cause) {
    close();
    handle.result().completeExceptionally(cause);
  }

  @Override
  public void close() {
    sequence.close();
  }
}

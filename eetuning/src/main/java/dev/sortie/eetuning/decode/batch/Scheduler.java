package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.PromptIds;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Generates many texts at once by continuous batching. Work is done in rounds: those that wait are
 * admitted in turn, as far as pages for all that they may need are free; those whose prompts are
 * being read take turns to read chunks of them, as many together as make a pass; all others read a
 * token each, together. So a long prompt delays a token by one chunk, and a text begins when it
 * gets its pages and never fails for want of memory later. Owners of requests take turns; nobody
 * else overtakes, however little he asks for.
 *
 * <p>What a request gets depends on nothing but itself: tokens, exits and confidences have the same
 * bits alone and in any company, with its beginning found in the pool or read.
 *
 * <p>{@link #submit} and handles may be used by any thread. Rounds belong to one thread: that of
 * {@link #run}, or whoever calls {@link #round}.
 */
public final class Scheduler implements Runnable, AutoCloseable {
  private final BatchDecoder decoder;
  private final PagePool pool;
  private final Tokenizer tokenizer;
  private final Set<Integer> ends;
  private final int vocab;
  private final int chunk;
  private final IntFunction<Drafter> drafters;
  private final Waitlist waitlist;

  /** In order of admission. */
  private final List<RequestState> running = new ArrayList<>();

  /** Whose prompts are being read; the first has its turn. */
  private final SequencedMap<BatchSequence, RequestState> reading = new LinkedHashMap<>();

  private volatile Load load;

  /**
   * What there is to do, as of the last round.
   *
   * @param running texts being read or generated
   * @param freePages pages of the pool that no text reads
   */
  public record Load(int running, int freePages) {}

  /**
   * Bounds.
   *
   * @param running texts at once at most
   * @param waiting requests that wait at most
   * @param chunk tokens of prompts that are read at a time while other texts wait for their next
   *     token, at least {@value ChunkedPrefill#LEAST}; more if more texts wait for their first one.
   *     SmolLM2-135M in BF16 reads 556 tokens a second in chunks of 128 and 744 in chunks of 512,
   *     which delay the others by 0.2 and 0.7 seconds (two threads)
   */
  public record Limits(int running, int waiting, int chunk) {
    /** Limits with chunks of 128 tokens. */
    public Limits(int running, int waiting) {
      this(running, waiting, 128);
    }

    public Limits {
      if (running < 1 || waiting < 0 || chunk < ChunkedPrefill.LEAST) {
        throw new InputException(
            running
                + " texts at once, "
                + waiting
                + " that wait and chunks of "
                + chunk
                + " tokens; take at least 1, 0 and "
                + ChunkedPrefill.LEAST);
      }
    }
  }

  /**
   * A scheduler; closing it closes neither decoder nor pool.
   *
   * @param ends ids that end a text
   * @param vocab number of logits
   */
  public Scheduler(
      BatchDecoder decoder,
      PagePool pool,
      Tokenizer tokenizer,
      List<Integer> ends,
      int vocab,
      Limits limits) {
    this(decoder, pool, tokenizer, ends, vocab, limits, _ -> Drafter.NONE);
  }

  /**
   * As above.
   *
   * @param drafters makes the drafter of a text of so many tokens
   */
  public Scheduler(
      BatchDecoder decoder,
      PagePool pool,
      Tokenizer tokenizer,
      List<Integer> ends,
      int vocab,
      Limits limits,
      IntFunction<Drafter> drafters) {
    this.decoder = decoder;
    this.pool = pool;
    this.tokenizer = tokenizer;
    this.ends = Set.copyOf(ends);
    this.vocab = vocab;
    this.chunk = limits.chunk();
    this.drafters = drafters;
    this.waitlist = new Waitlist(limits);
    this.load = new Load(0, pool.available());
  }

  /**
   * Asks for a text.
   *
   * @throws InputException if it can never be had: too long for the model or for the whole pool
   * @throws RejectedExecutionException if too many wait already, in all or of this owner, or this
   *     is closed
   */
  public RequestHandle submit(Request request) {
    check(request);
    return waitlist.add(request);
  }

  /**
   * Asks for a text when another one is done, in the place that this one leaves: it is not refused
   * for others that wait.
   *
   * @throws InputException as above
   * @throws RejectedExecutionException if this is closed
   */
  public RequestHandle submitInPlace(Request request) {
    check(request);
    return waitlist.addInPlace(request);
  }

  /**
   * Checks a request.
   *
   * @throws InputException if it can never be had: too long for the model or for the whole pool, or
   *     with ids that are no tokens
   */
  public void check(Request request) {
    PromptIds.check(request.prompt(), vocab);
    decoder.check(request.policy(), request.maxPending(), request.prompt(), request.capacity());
    pool.requirePossible(request.capacity());
  }

  /**
   * Runs a short piece of other work in the thread of rounds, one before each round: texts wait as
   * long as it takes.
   *
   * @return done when it ran, or cancelled by {@link #close}
   * @throws RejectedExecutionException if this is closed
   */
  public <T> Future<T> between(Callable<T> piece) {
    return waitlist.add(piece);
  }

  /**
   * Works until {@link #close}; sleeps while there is nothing to do. An error that is not one of a
   * single text, such as one that a listener throws, ends this as closing it does.
   */
  @Override
  public void run() {
    try {
      while (!waitlist.isClosed()) {
        if (!round()) {
          waitlist.await();
        }
      }
    } finally {
      close();
      end();
    }
  }

  /**
   * One round.
   *
   * @return whether there was anything to do
   */
  public boolean round() {
    if (waitlist.isClosed()) {
      end();
      return false;
    }
    Optional<FutureTask<?>> piece = waitlist.takePiece();
    piece.ifPresent(FutureTask::run);
    dropCancelled();
    admit();
    boolean busy = piece.isPresent() || !running.isEmpty();
    decodeAll();
    readPrompts();
    load = new Load(running.size(), pool.available());
    return busy;
  }

  private void dropCancelled() {
    for (RequestHandle t : waitlist.removeIf(RequestHandle::isCancelled)) {
      try {
        t.result().complete(newState(t).generation("cancelled", 0, 0));
      } catch (RuntimeException e) {
        t.result().completeExceptionally(e);
      }
    }
    for (RequestState r : List.copyOf(reading.values())) {
      if (r.handle().isCancelled()) {
        leave(r);
        r.finish("cancelled");
      }
    }
  }

  private GenerationState newState(RequestHandle t) {
    Request q = t.request();
    return new GenerationState(q.prompt(), q.options(), tokenizer, ends, vocab);
  }

  /** Where the one whose turn it is does not get its pages, none behind it does. */
  private void admit() {
    Optional<RequestHandle> next = waitlist.next();
    while (next.isPresent() && hasTakenPlace(next.get())) {
      next = waitlist.next();
    }
  }

  /** Begins a text in the next place, and frees that where it cannot begin; false without pages. */
  private boolean hasTakenPlace(RequestHandle t) {
    try {
      Optional<RequestState> begun = begin(t);
      if (begun.isEmpty()) {
        return false;
      }
      waitlist.admit();
      running.add(begun.get());
      reading.put(begun.get().sequence(), begun.get());
    } catch (RuntimeException e) { // the others are not to suffer for it
      waitlist.admit();
      waitlist.leave();
      t.result().completeExceptionally(e);
    }
    return true;
  }

  /** Empty where there are too few pages now. */
  private Optional<RequestState> begin(RequestHandle t) {
    Request q = t.request();
    Optional<BatchSequence> s =
        decoder.open(
            pool,
            q.policy(),
            q.maxPending(),
            q.prompt(),
            q.capacity(),
            q.states(),
            () -> q.readsOnly() ? Drafter.NONE : drafters.apply(q.capacity()));
    if (s.isEmpty()) {
      return Optional.empty();
    }
    try {
      t.found(s.get().position());
      return Optional.of(new RequestState(t, s.get(), newState(t)));
    } catch (RuntimeException e) {
      s.get().close();
      throw e;
    }
  }

  /** Reads chunks of prompts in one pass, which begins with another prompt each time. */
  private void readPrompts() {
    if (!reading.isEmpty()) {
      read(ScheduledChunk.pass(List.copyOf(reading.keySet()), tokensToRead()));
    }
  }

  private void read(List<ScheduledChunk> chunks) {
    List<Optional<Step>> steps;
    try {
      steps = decoder.readPrompts(chunks);
    } catch (RuntimeException e) {
      if (chunks.size() > 1) {
        chunks.forEach(p -> read(List.of(p)));
      } else {
        RequestState r = reading.get(chunks.getFirst().sequence());
        leave(r);
        r.fail(e);
      }
      return;
    }
    for (int i = 0; i < steps.size(); i++) {
      RequestState r = reading.remove(chunks.get(i).sequence());
      if (steps.get(i).isPresent()) {
        Step step = steps.get(i).get();
        take(r, () -> r.take(step));
      } else {
        reading.put(r.sequence(), r);
      }
    }
  }

  /**
   * A text that waits for its next token waits for one chunk, or longer where more others wait for
   * their first token than have it.
   */
  private int tokensToRead() {
    int decoding = running.size() - reading.size();
    long most = decoding == 0 ? ChunkedPrefill.USUAL : (long) chunk * reading.size() / decoding;
    return (int) Math.min(ChunkedPrefill.USUAL, Math.max(chunk, most));
  }

  /**
   * A token of each, and before it what passes have read ahead: who waits for others with tokens
   * that are known would leave them the next pass alone.
   */
  private void decodeAll() {
    running.stream().filter(RequestState::decodes).toList().forEach(this::decodeKnown);
    decode(running.stream().filter(RequestState::decodes).toList());
  }

  private void decodeKnown(RequestState r) {
    while (running.contains(r) && decoder.hasRead(r.sequence(), r.token())) {
      decode(List.of(r));
    }
  }

  private void decode(List<RequestState> now) {
    List<Step> steps;
    try {
      steps =
          decoder.next(
              now.stream().map(RequestState::sequence).toList(),
              now.stream().mapToInt(RequestState::token).toArray());
    } catch (RuntimeException e) {
      decodeAlone(now);
      return;
    }
    int[] chosen = new int[steps.size()];
    decoder
        .pool()
        .range(
            chosen.length,
            1,
            (from, to) -> {
              for (int i = from; i < to; i++) {
                if (now.get(i).choosesAlone()) {
                  chosen[i] = now.get(i).choose(steps.get(i));
                }
              }
            });
    for (int i = 0; i < chosen.length; i++) {
      RequestState r = now.get(i);
      Step step = steps.get(i);
      int token = chosen[i];
      take(r, () -> r.choosesAlone() ? r.take(step, token) : r.take(step));
    }
  }

  /** One of them fails; the others are not to suffer for it. */
  private void decodeAlone(List<RequestState> now) {
    for (RequestState r : now) {
      try {
        Step step = decoder.next(List.of(r.sequence()), new int[] {r.token()}).getFirst();
        take(r, () -> r.take(step));
      } catch (RuntimeException e) {
        leave(r);
        r.fail(e);
      }
    }
  }

  /** Gives a text its next token, which says why the text ends if it does. */
  private void take(RequestState r, Supplier<Optional<String>> token) {
    try {
      Optional<String> ended = token.get();
      if (ended.isPresent()) {
        leave(r);
        r.finish(ended.get());
      }
    } catch (RuntimeException e) {
      leave(r);
      r.fail(e);
    }
  }

  private void leave(RequestState r) {
    if (running.remove(r)) {
      waitlist.leave();
    }
    reading.remove(r.sequence());
  }

  /** Texts being generated or read, and those that wait. */
  public int pending() {
    return waitlist.pending();
  }

  /** As of the last round. */
  public Load load() {
    return load;
  }

  /** Requests that wait. */
  public int waiting() {
    return waitlist.waiting();
  }

  /** After {@link #close}: whoever has no result yet is told so. */
  private void end() {
    waitlist.cancelPieces();
    List<RequestHandle> left = waitlist.removeIf(_ -> true);
    CancellationException why = new CancellationException("texts are no longer generated here");
    for (RequestState r : List.copyOf(running)) {
      leave(r);
      r.fail(why);
    }
    left.forEach(t -> t.result().completeExceptionally(why));
  }

  /**
   * Takes no more requests. The thread of {@link #run} stops after its round, and requests without
   * a result fail; where rounds are called one by one, the next one does that.
   */
  @Override
  public void close() {
    waitlist.close();
  }
}

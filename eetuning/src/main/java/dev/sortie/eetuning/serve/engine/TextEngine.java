package dev.sortie.eetuning.serve.engine;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.PagePool;
import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.batch.Scheduler;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The model and the one thread that computes for all requests: a {@link Scheduler} that runs until
 * it is closed. Thread-safe.
 */
public final class TextEngine implements AutoCloseable {
  private static final Logger LOG = System.getLogger(TextEngine.class.getName());
  private static final int WARM_PROMPT = 43;

  /**
   * Of texts alone, every third has a short prompt, which other kernels read: without them, the
   * first text with a prompt of 12 tokens took 1.0 s instead of 0.83 (64 tokens, SmolLM2-135M).
   */
  private static final int SHORT_EVERY = 3;

  private static final int WARM_TOKENS = 6;
  private static final int WARM_ALONE = 24;

  /** Tokens that each of several texts has more than the last: one after the other ends. */
  private static final int WARM_STEP = 2;

  /** Most time for texts alone, and again for texts together. */
  private static final Duration WARM_UP = Duration.ofSeconds(8);

  private final LanguageModel model;
  private final Exits exits;
  private final EngineSettings settings;
  private final BatchDecoder decoder;
  private final PagePool pool;
  private final Scheduler scheduler;
  private final Set<Integer> ends;
  private final Thread thread;

  /** Whether texts that begin now are drafted. */
  private volatile boolean drafts;

  private volatile boolean ready;
  private volatile boolean failed;

  /**
   * An engine that computes nothing yet.
   *
   * @param model stays open for as long as this
   * @param exits that texts may leave at
   */
  public TextEngine(LanguageModel model, Exits exits, Device device, EngineSettings settings) {
    this.model = model;
    this.exits = exits;
    this.settings = settings;
    this.drafts = settings.drafts();
    this.decoder = new BatchDecoder(model.decoder(), exits, device);
    this.pool = new PagePool(model.decoder(), exits, settings.pages(), PagePool.PAGE_TOKENS, true);
    List<Integer> ids = Prompt.endsOfAnswer(model);
    this.ends = Set.copyOf(ids);
    this.scheduler =
        new Scheduler(
            decoder,
            pool,
            model.tokenizer(),
            ids,
            model.config().decoder().vocab(),
            new Scheduler.Limits(settings.parallel(), settings.queue()),
            tokens -> drafts ? DraftSources.free(exits, tokens) : Drafter.NONE);
    this.thread = Thread.ofPlatform().name("engine").unstarted(this::run);
  }

  private void run() {
    try {
      scheduler.run();
    } catch (RuntimeException | Error e) {
      failed = true;
      LOG.log(Level.ERROR, "the engine has failed; start the server again", e);
      scheduler.close();
      scheduler.round(); // tells all that wait
    }
  }

  /**
   * Begins to compute, and generates texts, alone and together, so that what is run per prompt and
   * per token is compiled when this returns, for every number of texts that share a pass.
   */
  public void start() throws InterruptedException {
    thread.start();
    warmUp(WARM_ALONE, i -> List.of(warmRequest(i, aloneLength(i), WARM_TOKENS)));
    int texts = Math.min(Kernels.ROW_STABLE, settings.parallel());
    drafts = false; // draft tokens are rows too: then passes would skip numbers of rows
    warmUp(
        1,
        i ->
            IntStream.range(0, texts)
                .mapToObj(n -> warmRequest(i, WARM_PROMPT, WARM_TOKENS + WARM_STEP * n))
                .toList());
    drafts = settings.drafts();
  }

  /** Forgets the prompts that were read so far, and is ready for others. */
  public void becomeReady() throws InterruptedException {
    try {
      compute(
          () -> {
            pool.forget();
            return null;
          });
    } catch (CancellationException | RejectedExecutionException e) {
      LOG.log(Level.DEBUG, "closed before it was ready", e);
    }
    ready = !failed;
  }

  /** Generates texts at once, again and again, but not for long. */
  private void warmUp(int times, IntFunction<List<Request>> texts) throws InterruptedException {
    long deadline = System.nanoTime() + WARM_UP.toNanos();
    for (int i = 0; i < times && System.nanoTime() < deadline; i++) {
      List<Request> requests = texts.apply(i);
      TextEvents stream = compute(() -> ask(requests)); // so that all begin in one round
      for (int open = requests.size(); open > 0; ) {
        Optional<TextEvent> event = stream.next(Duration.ofNanos(deadline - System.nanoTime()));
        if (event.isEmpty()) {
          stream.cancel(); // compiled or not, nobody should wait longer
          return;
        }
        open -= event.get() instanceof TextEvent.Token ? 0 : 1;
      }
    }
  }

  private static int aloneLength(int number) {
    return number % SHORT_EVERY == 0
        ? Kernels.ROW_STABLE - number % Kernels.ROW_STABLE
        : WARM_PROMPT;
  }

  /** A prompt of a length that begins like none before it, and an answer of so many tokens. */
  private Request warmRequest(int number, int length, int tokens) {
    int room = room();
    int[] prompt =
        IntStream.range(0, Math.max(1, Math.min(length, room / 2)))
            .map(i -> (i + number) % model.config().decoder().vocab())
            .toArray();
    GenerateOptions options =
        new GenerateOptions(
            Math.max(1, Math.min(tokens, room - prompt.length)),
            SamplingOptions.GREEDY,
            List.of(),
            true);
    MaxProbability policy = new MaxProbability(exits.exits().isEmpty() ? 1 : 0.9);
    return new Request(prompt, options, policy, 0, t -> {});
  }

  /**
   * Asks for texts, as many at a time as are generated at once.
   *
   * @throws dev.sortie.nn.InputException if one can never be had
   * @throws RejectedExecutionException if too many wait already
   */
  public TextEvents ask(List<Request> requests) {
    return TextEvents.of(scheduler, requests, settings.parallel());
  }

  /**
   * Computes something short between texts, and waits for it.
   *
   * @throws CancellationException if this is closed before
   * @throws RejectedExecutionException if this is closed
   */
  public <T> T compute(Supplier<T> piece) throws InterruptedException {
    try {
      return scheduler.between(piece::get).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause
          ? cause
          : new IllegalStateException("a pass failed", e.getCause());
    }
  }

  /** What texts are generated with. */
  public LanguageModel model() {
    return model;
  }

  /** Where texts may leave. */
  public Exits exits() {
    return exits;
  }

  /** The ids that end a text. */
  public Set<Integer> ends() {
    return ends;
  }

  /** Whether a token ends a text. */
  public boolean isEnd(int id) {
    return ends.contains(id);
  }

  /** Whether all is compiled. */
  public boolean isReady() {
    return ready && !failed;
  }

  /** Whether it can compute no more. */
  public boolean hasFailed() {
    return failed;
  }

  /** Tokens that one text may have, prompt and answer. */
  public int room() {
    return Math.min(model.config().decoder().context(), settings.pages() * PagePool.PAGE_TOKENS);
  }

  /** What it may take. */
  public EngineSettings settings() {
    return settings;
  }

  /** What there was to do in the last round. */
  public Scheduler.Load load() {
    return scheduler.load();
  }

  /** Requests that wait. */
  public int waiting() {
    return scheduler.waiting();
  }

  /** Pages of the cache. */
  public int pages() {
    return settings.pages();
  }

  /** Stops computing; texts without an end fail. */
  @Override
  public void close() {
    scheduler.close();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return; // memory that is still used is not given back
    }
    decoder.close();
    pool.close();
  }
}

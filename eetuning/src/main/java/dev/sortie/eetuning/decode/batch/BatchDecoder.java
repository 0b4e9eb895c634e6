package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.PromptStates;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.PromptChunk;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.DraftedText;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Reads one token of each of several sequences together, so that weights are read once for all.
 * Each sequence has its own cache, length, exit policy and life: one joins by being named in a call
 * and leaves by not being named (continuous batching). Each leaves the layers at its own depth, as
 * {@link EarlyExit} does: those that left are dropped from the rest of the pass, and their deficit
 * tokens are made up for when they next go deeper.
 *
 * <p>Passes have up to {@link Kernels#ROW_STABLE} rows, in which each row has the bits that it gets
 * alone. So a sequence's logits, exits and confidences do not depend on its company; they are those
 * of {@link EarlyExit}, without exits those of {@link FullDepth}. {@linkplain #ofManyRows A decoder
 * of many rows} has other bits, which do not depend on the company either. Not thread-safe.
 */
public final class BatchDecoder implements AutoCloseable {
  private final Decoder decoder;
  private final Exits exits;
  private final Descent descent;
  private final WorkerPool pool;
  private final int rows;
  private final BatchDraftLengths draftLengths;

  /** Read with too few sequences for a pass of many rows; empty where passes have few. */
  private final List<BatchSequence> fillers;

  /**
   * Rows of a pass of {@link #ofManyRows}. SmolLM2-135M, Q4_1 file, two threads, Xeon with AVX-512
   * shared with other work, in F32, tokens per second: 110 in stable passes of 16 rows, 125 in
   * passes of 64, 175 of 128, 220 of 256.
   */
  public static final int MANY_ROWS = 256;

  /** A decoder at full depth. */
  public BatchDecoder(Decoder decoder, Device device) {
    this(decoder, Exits.none(), device);
  }

  /**
   * A decoder at full depth for the most tokens per second of many sequences. Passes have up to
   * {@value #MANY_ROWS} rows and always more than {@link Kernels#ROW_STABLE}: they are products of
   * matrices by the kernels that read prompts. A sequence has the same bits in any company, and not
   * those of other decoders. Few sequences are slower here.
   */
  public static BatchDecoder ofManyRows(Decoder decoder, Device device) {
    BatchDecoder d = new BatchDecoder(decoder, Exits.none(), device, MANY_ROWS);
    for (int i = 0; i < Kernels.ROW_STABLE; i++) {
      d.fillers.add(d.open(1));
    }
    return d;
  }

  /**
   * A decoder whose sequences may leave at {@code exits}.
   *
   * @param exits of this decoder
   */
  public BatchDecoder(Decoder decoder, Exits exits, Device device) {
    this(decoder, exits, device, Kernels.ROW_STABLE);
  }

  private BatchDecoder(Decoder decoder, Exits exits, Device device, int rows) {
    this.decoder = decoder;
    this.exits = exits;
    this.rows = rows;
    this.pool = device.pool();
    this.draftLengths = new BatchDraftLengths(Math.min(rows, Kernels.ROW_STABLE));
    this.fillers = new ArrayList<>();
    this.descent = new Descent(decoder, Segment.of(exits, decoder.config().layers()), device, rows);
  }

  /** The threads that compute, for whoever has work on many texts between passes. */
  WorkerPool pool() {
    return pool;
  }

  /** A new sequence at full depth with room for {@code capacity} tokens; the caller closes it. */
  public BatchSequence open(int capacity) {
    return open(new MaxProbability(1), capacity, 0);
  }

  /**
   * A new sequence; the caller closes it.
   *
   * @param policy when it leaves at an exit
   * @param capacity tokens to set room aside for
   * @param maxPending deficit tokens at most, 0 to {@link EarlyExit#MAX_PENDING}
   */
  public BatchSequence open(ExitPolicy policy, int capacity, int maxPending) {
    return open(policy, capacity, maxPending, Drafter.NONE);
  }

  /**
   * A new sequence; the caller closes it.
   *
   * @param policy when it leaves at an exit
   * @param capacity tokens to set room aside for
   * @param maxPending deficit tokens at most, 0 to {@link EarlyExit#MAX_PENDING}
   * @param drafter drafts where the sequence has a pass of its own; closed with it
   */
  public BatchSequence open(ExitPolicy policy, int capacity, int maxPending, Drafter drafter) {
    EarlyExit.check(exits, policy, maxPending);
    Sequence s = new Sequence(decoder, capacity, descent.ops());
    return new BatchSequence(
        text(s, policy, maxPending, Optional.empty(), drafter), Optional.empty(), Optional.empty());
  }

  private DraftedText text(
      Sequence s,
      ExitPolicy policy,
      int maxPending,
      Optional<IntFunction<KvCache>> exitCaches,
      Drafter drafter) {
    int rows = 1 + drafter.most();
    return new DraftedText(
        SequenceState.of(s, descent.segments(), policy, maxPending, rows, exitCaches), drafter);
  }

  /**
   * A new sequence whose cache is in pages of a pool; the caller closes it. Its position says how
   * many tokens of the prompt were found there and need not be read; {@link #readPrompt} reads the
   * rest.
   *
   * @param pool made for this decoder and these exits
   * @param policy when it leaves at an exit
   * @param maxPending deficit tokens at most, 0 to {@link EarlyExit#MAX_PENDING}
   * @param prompt at least one token
   * @param capacity tokens to set room aside for, the prompt among them
   * @return empty if too many pages are in use now
   * @throws InputException if so many tokens can never be held
   */
  public Optional<BatchSequence> open(
      PagePool pool, ExitPolicy policy, int maxPending, int[] prompt, int capacity) {
    return open(pool, policy, maxPending, prompt, capacity, Optional.empty(), () -> Drafter.NONE);
  }

  /**
   * As above.
   *
   * @param states gets the final hidden states of the prompt: then all of it is read, whatever was
   *     found
   * @param drafters makes the drafter, which drafts where the sequence has a pass of its own;
   *     closed with it
   */
  public Optional<BatchSequence> open(
      PagePool pool,
      ExitPolicy policy,
      int maxPending,
      int[] prompt,
      int capacity,
      Optional<PromptStates> states,
      Supplier<Drafter> drafters) {
    check(policy, maxPending, prompt, capacity);
    return pool.lease(prompt, capacity, !policy.never(), states.isEmpty())
        .map(
            lease -> {
              try {
                return open(lease, policy, maxPending, capacity, states, drafters);
              } catch (RuntimeException | Error e) {
                lease.close();
                throw e;
              }
            });
  }

  private BatchSequence open(
      PagePool.Lease lease,
      ExitPolicy policy,
      int maxPending,
      int capacity,
      Optional<PromptStates> states,
      Supplier<Drafter> drafters) {
    Sequence s = new Sequence(decoder, capacity, descent.ops(), lease.layerCaches());
    DraftedText text = text(s, policy, maxPending, Optional.of(lease::exitCache), drafters.get());
    text.wholePrompt(lease.prompt());
    int[] found = Arrays.copyOf(lease.prompt(), lease.reused());
    descent.step(
        () -> {
          text.state().found(found);
          return null;
        });
    return new BatchSequence(text, Optional.of(lease), states);
  }

  /** Fails unless such a sequence could be opened in a pool that is large enough. */
  void check(ExitPolicy policy, int maxPending, int[] prompt, int capacity) {
    EarlyExit.check(exits, policy, maxPending);
    if (prompt.length < 1 || prompt.length > capacity) {
      throw new InputException(
          "a prompt of " + prompt.length + " tokens where room is asked for " + capacity);
    }
    decoder.requireContext(capacity);
  }

  /**
   * Reads the next chunk of the prompt of a sequence in a pool. How it is cut does not show in any
   * result.
   *
   * @param most tokens to read, at least {@value ChunkedPrefill#LEAST}
   * @return what follows the prompt; empty if more of it is left to read
   */
  public Optional<Step> readPrompt(BatchSequence s, int most) {
    check(s);
    return readPrompts(List.of(ScheduledChunk.of(s, most))).getFirst();
  }

  /**
   * Reads chunks of prompts of sequences in pools, in one pass. If that fails, none was read.
   *
   * @param scheduled as {@link ScheduledChunk#pass} puts them together
   * @return for each, what follows the prompt; empty if more of it is left to read
   */
  List<Optional<Step>> readPrompts(List<ScheduledChunk> scheduled) {
    List<PromptChunk> chunks = new ArrayList<>(scheduled.size());
    for (ScheduledChunk p : scheduled) {
      check(p.sequence());
      chunks.add(new PromptChunk(p.sequence().state(), p.ids(), p.end(), p.sequence().states()));
    }
    Map<SequenceState, Step> found = new IdentityHashMap<>();
    descent.step(
        () -> {
          descent.prefill(chunks, found::put);
          return null;
        });
    scheduled.forEach(p -> p.sequence().pages().read(p.to()));
    return scheduled.stream()
        .map(p -> Optional.ofNullable(found.get(p.sequence().state())))
        .toList();
  }

  /**
   * Reads a prompt after what a sequence has read so far, at full depth.
   *
   * @param prompt at least one token
   * @return what follows its last token
   */
  public Step prefill(BatchSequence s, int[] prompt) {
    return prefill(s, prompt, Optional.empty());
  }

  /**
   * As above.
   *
   * @param states gets the final hidden states of the prompt, if somebody asks
   */
  public Step prefill(BatchSequence s, int[] prompt, Optional<PromptStates> states) {
    check(s);
    s.text().prompt(prompt);
    return descent.prefill(s.state(), prompt, states);
  }

  /**
   * Whether a sequence has read this token already, as a draft token: then {@link #next} of it
   * alone reads nothing at full depth, and the others should wait for it.
   */
  public boolean hasRead(BatchSequence s, int token) {
    check(s);
    return s.text().hasRead(token);
  }

  /**
   * Reads a token of each sequence. If that fails, no sequence has read any. Draft tokens are read
   * with the tokens of those at full depth where that promises more tokens per second of all.
   *
   * @param sequences distinct, of this decoder; any number, of which as many as a pass has rows
   *     share one
   * @param tokens the token at the next position of each
   * @return what follows it in each, as {@link dev.sortie.eetuning.decode.DecodingStrategy#next}
   *     does
   */
  public List<Step> next(List<BatchSequence> sequences, int[] tokens) {
    check(sequences, tokens);
    if (tokens.length == 1 && fillers.isEmpty()) {
      return List.of(sequences.getFirst().text().next(descent, tokens[0]));
    }
    int[] positions = sequences.stream().mapToInt(BatchSequence::position).toArray();
    List<Step> steps = new ArrayList<>();
    try {
      for (int from = 0; from < tokens.length; from += rows) {
        int end = Math.min(tokens.length, from + rows);
        steps.addAll(pass(sequences.subList(from, end), Arrays.copyOfRange(tokens, from, end)));
      }
    } catch (RuntimeException e) {
      for (int i = 0; i < positions.length; i++) {
        sequences.get(i).rewind(positions[i]);
      }
      throw e;
    }
    return steps;
  }

  private List<Step> pass(List<BatchSequence> sequences, int[] tokens) {
    List<BatchSequence> filling = tokens.length > Kernels.ROW_STABLE ? List.of() : fillers;
    long start = System.nanoTime();
    try {
      List<Step> steps =
          descent.step(
              () -> {
                List<SequenceState> states = new ArrayList<>();
                int[] counts = draftCounts(sequences, tokens);
                for (int i = 0; i < tokens.length; i++) {
                  sequences.get(i).text().beginInCompany(tokens[i], counts[i]);
                  states.add(sequences.get(i).state());
                }
                for (BatchSequence f : filling) {
                  f.text().beginInCompany(0, 0);
                  states.add(f.state());
                }
                Map<SequenceState, Step> found = new IdentityHashMap<>();
                descent.run(states, found::put);
                return sequences.stream()
                    .map(s -> s.text().answered(s.position() - 1, found.get(s.state())))
                    .toList();
              });
      if (areTimed(sequences)) {
        draftLengths.took((System.nanoTime() - start) * 1e-9);
      }
      return steps;
    } finally {
      filling.forEach(f -> f.rewind(0));
    }
  }

  /** Whoever leaves early makes the time of a pass his own, and fillers take part of it. */
  private boolean areTimed(List<BatchSequence> sequences) {
    return fillers.isEmpty() && sequences.stream().allMatch(s -> s.state().isFullDepth());
  }

  /** How many draft tokens each sequence has read with its token. */
  private int[] draftCounts(List<BatchSequence> sequences, int[] tokens) {
    boolean timed = areTimed(sequences);
    int most = timed ? draftLengths.most(tokens.length) : 0;
    List<double[]> offers = new ArrayList<>(tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      offers.add(sequences.get(i).text().offer(tokens[i], most));
    }
    return timed ? draftLengths.counts(offers) : new int[tokens.length];
  }

  /** All is checked before anything is read, so a refusal changes no sequence. */
  private void check(List<BatchSequence> sequences, int[] tokens) {
    if (sequences.size() != tokens.length) {
      throw new IllegalArgumentException(
          sequences.size() + " sequences and " + tokens.length + " tokens");
    }
    Set<BatchSequence> distinct = Collections.newSetFromMap(new IdentityHashMap<>());
    for (BatchSequence s : sequences) {
      check(s);
      if (!distinct.add(s)) {
        throw new IllegalArgumentException("a sequence is named twice");
      }
      s.state().sequence().requireRoom(s.position() + 1);
    }
  }

  private void check(BatchSequence s) {
    if (s.state().sequence().ops() != descent.ops()) {
      throw new IllegalArgumentException("a sequence is of another batch decoder");
    }
  }

  /** See {@link Descent#completedCache}. */
  public List<Tensor> completedCache(BatchSequence s, int layer) {
    check(s);
    return descent.completedCache(s.state(), layer);
  }

  @Override
  public void close() {
    fillers.forEach(BatchSequence::close);
    descent.close();
  }
}

package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Guesses;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.LogitsReader;
import dev.sortie.eetuning.decode.pass.Pieces;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Decoding that stops at the first exit confident enough, and keeps the KV cache exact by
 * <em>deferred completion</em>.
 *
 * <p>Exits cut the backbone into segments. A token that leaves at an exit keeps its hidden state
 * there (a deficit token: the layers above lack its keys and values). When a later token goes
 * deeper, the segment above runs once over all deficit tokens and that token together, so its
 * attention sees every key. Nothing that is already right is computed again, and since a batch of
 * up to {@link Kernels#ROW_STABLE} rows gives each row the bits that it gets alone, the cache has
 * the same bits as if every token had gone through all layers one by one. In each segment the
 * positions done are a prefix, those pending a suffix, and deeper segments lag behind shallower
 * ones; one counter a segment says it all.
 *
 * <p>Where somebody guesses how the text goes on, the guesses go down beside the token just chosen.
 * After a guess that was right the answer is often there already: an exit that was asked about all
 * of them at once is confident, or they have been taken along to the end. Who leaves where does not
 * depend on that: the same exits are asked about each token, and the same number of tokens in a row
 * may leave early. So guesses decide how fast a text comes, never which.
 */
public final class EarlyExit implements DecodingStrategy {
  /** Deficit tokens at most: with the token that goes deeper they fill a batch of stable rows. */
  public static final int MAX_PENDING = Kernels.ROW_STABLE - 1;

  private final Sequence sequence;
  private final ExitPolicy policy;
  private final LogitsReader reader;
  private final List<ExitSegment> segments;
  private final FinalRows finals;
  private final Guesses guesses;

  /** For {@link ExitSchedule#left}: the number of exits. */
  private final int finalLayer;

  private final ExitSchedule schedule;

  /** As far as it was read, guesses among it. */
  private final TextTokens text;

  private int position;

  /** The token just chosen and the guesses behind it, read up to position {@link #ahead}. */
  private int[] round = new int[0];

  private int ahead;

  /** By the exit asked last for the token that is being read; null before the first. */
  private ExitEvidence.Said said;

  /**
   * A new sequence without guesses.
   *
   * @param exits those to check, all of one backbone
   * @param capacity tokens to set room aside for
   * @param maxPending deficit tokens at most, 0 to {@link #MAX_PENDING}
   */
  public EarlyExit(
      Decoder decoder,
      Exits exits,
      ExitPolicy policy,
      int capacity,
      int maxPending,
      Device device) {
    this(decoder, exits, policy, capacity, maxPending, Guesses.NONE, device);
  }

  /**
   * A new sequence.
   *
   * @param exits those to check, all of one backbone
   * @param capacity tokens to set room aside for
   * @param maxPending deficit tokens at most, 0 to {@link #MAX_PENDING}
   * @param guesses closed with this
   */
  public EarlyExit(
      Decoder decoder,
      Exits exits,
      ExitPolicy policy,
      int capacity,
      int maxPending,
      Guesses guesses,
      Device device) {
    check(exits, policy, maxPending);
    this.sequence = new Sequence(decoder, capacity, device);
    this.policy = policy;
    this.reader = new LogitsReader(decoder.config().vocab());
    this.guesses = guesses;
    Exits asked = policy.never() ? Exits.none() : exits;
    this.text = new TextTokens(asked.exits(), capacity, sequence.arena());
    int rows = 1 + guesses.most();
    this.segments =
        Segment.of(asked, decoder.config().layers()).stream()
            .map(s -> new ExitSegment(s, sequence, text, rows))
            .toList();
    this.finals = new FinalRows(sequence, rows);
    this.finalLayer = asked.exits().size();
    this.schedule = new ExitSchedule(finalLayer, segments.size() - 1, maxPending, policy.rests());
  }

  /** Fails unless such a sequence can be decoded. */
  public static void check(Exits exits, ExitPolicy policy, int maxPending) {
    if (maxPending < 0 || maxPending > MAX_PENDING) {
      throw new InputException("pending tokens " + maxPending + " are outside 0 to " + MAX_PENDING);
    }
    for (Exit e : exits.exits()) {
      if (policy.usesProbe() && e.gates().probe().isEmpty()) {
        throw new InputException(
            "the exit after layer "
                + e.depth()
                + " has no probe; tune it with --gate-tokens above 0, or take another"
                + " --exit-policy");
      }
    }
  }

  @Override
  public Step prefill(int[] prompt) {
    // a prompt in the middle of a text: its tokens go through all layers, so those before must have
    complete();
    guesses.prompt(position, prompt);
    Step last = null;
    for (int from = 0, to; from < prompt.length; from = to) {
      to = Pieces.end(from, prompt.length, Pieces.USUAL);
      int[] chunk = Arrays.copyOfRange(prompt, from, to);
      boolean end = to == prompt.length;
      last = sequence.step(() -> prefillChunk(chunk, end));
      position += chunk.length;
    }
    ahead = position;
    schedule.start(position);
    return last;
  }

  private Step prefillChunk(int[] chunk, boolean end) {
    Tensor x = sequence.embed(chunk, position, chunk.length);
    text.read(sequence.ops(), position, chunk);
    int read = position + chunk.length;
    for (ExitSegment s : segments) {
      if (s == segments.getLast()) {
        x = sequence.prefillTop(x, s.from(), position, end);
        s.prompt(null, read);
        break;
      }
      x = sequence.layers(x, s.from(), s.to(), position).x();
      s.prompt(x, read);
    }
    return end ? reader.readFinal(sequence, x) : null;
  }

  @Override
  public Step next(int token) {
    sequence.requireRoom(position + 1);
    boolean right = guesses.isRight(position, token);
    if (!right || position == ahead) { // completing the caches forgets what was read ahead
      cut();
      int pending = position - segments.getLast().done();
      int most = Math.min(Kernels.ROW_STABLE - pending, sequence.capacity() - position) - 1;
      round = guesses.begin(position, token, Math.max(0, most));
      ahead = position + round.length;
      text.read(sequence.ops(), position, round);
    }
    long start = System.nanoTime();
    Step step = sequence.step(this::descend);
    guesses.took((System.nanoTime() - start) * 1e-9);
    Step answer = step.with(guesses.behind(position));
    position++;
    return answer;
  }

  /** Forgets what was read behind {@link #position}. */
  private void cut() {
    ahead = position;
    text.rewind(position);
    segments.forEach(s -> s.rewind(position));
    finals.rewind(position);
  }

  /** Takes the token at {@link #position} down to where it leaves. */
  private Step descend() {
    said = null;
    for (int i = 0; i < segments.size(); i++) {
      ExitSegment s = segments.get(i);
      if (s.done() <= position) {
        s.run(i == 0 ? embed(s.done()) : segments.get(i - 1).hidden(s.done(), ahead), ahead);
      }
      if (s.exit().isPresent()) {
        Step step = tryExit(s, i);
        if (step != null) {
          schedule.left(i);
          return step;
        }
      }
    }
    schedule.left(finalLayer);
    if (!finals.has(position)) {
      finals.read(segments.getLast(), unanswered());
    }
    return finals.answer(position, reader);
  }

  /** The tokens from position {@code first}, where the first segment has come to, to the last. */
  private Tensor embed(int first) {
    int[] tokens = Arrays.copyOfRange(round, round.length - (ahead - first), round.length);
    return sequence.embed(tokens, first, tokens.length);
  }

  private Step tryExit(ExitSegment s, int i) {
    Exit exit = s.exit().orElseThrow();
    if (!schedule.asks(i) || !worthwhile(exit, s.state(position))) {
      s.pass(position + 1);
      return null;
    }
    ExitEvidence evidence = s.ask(position, ahead, said);
    said = evidence.said();
    double confidence = policy.confidence(evidence);
    return policy.exits(exit.depth(), confidence)
        ? reader.read(evidence.answer(), exit.depth(), confidence)
        : null;
  }

  private boolean worthwhile(Exit exit, Tensor x) {
    return !policy.usesProbe()
        || policy.worthwhile(
            exit.depth(), exit.gates().probe().orElseThrow().probability(sequence.ops(), x));
  }

  /**
   * The token at {@link #position} and the guesses behind it that no exit asked so far would let
   * go: if they are right, the whole head will be read for them too, and once for all takes less.
   */
  private int[] unanswered() {
    return IntStream.range(position, ahead)
        .filter(p -> p == position || segments.stream().noneMatch(s -> leaves(s, p)))
        .toArray();
  }

  private boolean leaves(ExitSegment s, int at) {
    return s.hasHeard(at)
        && policy.exits(s.exit().orElseThrow().depth(), policy.confidence(s.said(at, null)));
  }

  /**
   * Keys and values of backbone layer {@code layer} (from 0) after completing every pending token,
   * {@code [1, position, K, D]} each: for tests and audits.
   */
  public List<Tensor> completedCache(int layer) {
    complete();
    Ops ops = sequence.ops();
    return List.of(
        sequence.cache(layer).keys(ops, position), sequence.cache(layer).values(ops, position));
  }

  /** Runs all pending tokens through the layers that they have not seen, exits' own too. */
  private void complete() {
    cut();
    for (int i = 0; i < segments.size(); i++) {
      ExitSegment s = segments.get(i);
      if (s.done() < position) {
        // never the first segment: every token passes it
        ExitSegment lower = segments.get(i - 1);
        sequence.step(
            () -> {
              s.run(lower.hidden(s.done(), position), position);
              return null;
            });
      }
      sequence.step(
          () -> {
            s.fill(position);
            return null;
          });
    }
  }

  @Override
  public SpeculationReport speculation() {
    return guesses.report();
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void rewind(int count) {
    position = Sequence.checkKept(count, position);
    cut();
    schedule.rewind(position);
    guesses.rewind(position);
  }

  @Override
  public void close() {
    guesses.close();
    sequence.close();
  }
}

package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.HiddenState;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.LogitsReader;
import dev.sortie.eetuning.decode.pass.Pieces;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.Pace;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

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
 */
public final class EarlyExit implements DecodingStrategy {
  /** Deficit tokens at most: with the token that goes deeper they fill a batch of stable rows. */
  public static final int MAX_PENDING = Kernels.ROW_STABLE - 1;

  private final Sequence sequence;
  private final ExitPolicy policy;
  private final LogitsReader reader;
  private final List<Progress> segments;
  private final int maxPending;

  /** For {@link Pace#left}: the number of exits. */
  private final int finalLayer;

  private final Pace pace;
  private int position;

  /** By the exit asked last for the token that is being read; null before the first. */
  private ExitEvidence.Said said;

  /** How far a segment has come. */
  private static final class Progress {
    final int from;
    final int to;
    final Optional<Exit> exit;
    final Optional<KvCache> exitCache;

    /** Output of layer {@code to} by position, {@code [capacity, C]}; null for the last segment. */
    final Tensor hidden;

    /** Positions done in this segment's layers. */
    int done;

    /** Positions done in the exit's own layer. */
    int exitDone;

    Progress(Segment segment, boolean last, Sequence sequence) {
      this.from = segment.from();
      this.to = segment.to();
      this.exit = segment.exit();
      this.exitCache =
          exit.filter(Exit::hasCache)
              .map(e -> e.cache(sequence.arena(), DType.F32, sequence.capacity()));
      int width = sequence.decoder().config().hidden();
      this.hidden =
          last
              ? null
              : Tensor.allocate(sequence.arena(), DType.F32, Shape.of(sequence.capacity(), width));
    }

    Tensor hidden(int first, int end) {
      return Sequence.rows(hidden, first, end);
    }
  }

  /**
   * A new sequence.
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
    check(exits, policy, maxPending);
    this.sequence = new Sequence(decoder, capacity, device);
    this.policy = policy;
    this.reader = new LogitsReader(decoder.config().vocab());
    this.maxPending = maxPending;
    Exits asked = policy.never() ? Exits.none() : exits;
    List<Segment> cut = Segment.of(asked, decoder.config().layers());
    this.segments = cut.stream().map(c -> new Progress(c, c == cut.getLast(), sequence)).toList();
    this.finalLayer = asked.exits().size();
    this.pace = new Pace(finalLayer, policy.rests());
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
    Step last = null;
    for (int from = 0, to; from < prompt.length; from = to) {
      to = Pieces.end(from, prompt.length, Pieces.USUAL);
      int[] chunk = Arrays.copyOfRange(prompt, from, to);
      boolean end = to == prompt.length;
      last = sequence.step(() -> prefillChunk(chunk, end));
      position += chunk.length;
    }
    pace.start(position);
    return last;
  }

  private Step prefillChunk(int[] chunk, boolean end) {
    Tensor x = sequence.embed(chunk, position, chunk.length);
    for (Progress s : segments) {
      s.done = position + chunk.length;
      s.exitDone = s.done;
      if (s == segments.getLast()) {
        x = sequence.prefillTop(x, s.from, position, end);
        break;
      }
      x = sequence.layers(x, s.from, s.to, position).x();
      if (s.exitCache.isPresent()) {
        s.exit.orElseThrow().fill(sequence.ops(), x, s.exitCache.get(), position);
      }
    }
    return end ? reader.readFinal(sequence, x) : null;
  }

  @Override
  public Step next(int token) {
    Step step = sequence.step(() -> descend(token));
    position++;
    return step;
  }

  private Step descend(int token) {
    Tensor below = sequence.embed(new int[] {token}, position, 1);
    int end = position + 1;
    said = null;
    for (int i = 0; i < segments.size(); i++) {
      Progress s = segments.get(i);
      // the first segment has no deficit: every token passes it
      Tensor in = i == 0 ? below : segments.get(i - 1).hidden(s.done, end);
      HiddenState out = sequence.layers(in, s.from, s.to, s.done);
      if (s.hidden != null) {
        sequence.ops().kernels().copy(out.x().span(), s.hidden(s.done, end).span());
      }
      s.done = end;
      // the deepest segment lags most; were the next one asked, a deeper one could get more rows
      // at once than are stable
      boolean mayExit = position - segments.getLast().done < maxPending;
      if (s.exit.isPresent()) {
        Step step = tryExit(s, out, mayExit && pace.due(i), end);
        if (step != null) {
          pace.left(i);
          return step;
        }
      }
      if (s == segments.getLast()) {
        pace.left(finalLayer);
        return reader.readFinal(sequence, out.x());
      }
    }
    throw new IllegalStateException("the last segment always answers");
  }

  private Step tryExit(Progress s, HiddenState out, boolean due, int end) {
    Exit exit = s.exit.orElseThrow();
    Tensor x = Sequence.lastRow(out.x());
    boolean wanted = due && worthwhile(exit, x);
    if (s.exitCache.isPresent()) {
      // where its answer is not wanted, the exit's own layer waits too, as long as all that wait
      // are a batch of stable rows
      if (!wanted) {
        if (end - s.exitDone >= Kernels.ROW_STABLE) {
          fillExit(s, end);
        }
        return null;
      }
      x = Sequence.lastRow(advanceExit(s, end));
    }
    if (!wanted) {
      return null;
    }
    Tensor state = exit.headState(sequence.ops(), x, Sequence.lastRow(out.a()));
    ExitEvidence evidence = new ExitEvidence(sequence.ops(), exit, state, said);
    said = evidence.said();
    double confidence = policy.confidence(evidence);
    return policy.exits(exit.depth(), confidence)
        ? reader.read(evidence.logits(), exit, confidence)
        : null;
  }

  private boolean worthwhile(Exit exit, Tensor x) {
    return !policy.usesProbe()
        || policy.worthwhile(
            exit.depth(), exit.gates().probe().orElseThrow().probability(sequence.ops(), x));
  }

  /**
   * Runs the exit's own layer for the token before position {@code end}. Deficit tokens that come
   * to it may be nearly a batch of stable rows, and it may lag by nearly another: then it takes
   * two.
   */
  private Tensor advanceExit(Progress s, int end) {
    fillExit(s, end - Kernels.ROW_STABLE);
    Tensor rows = s.hidden(s.exitDone, end);
    Exit exit = s.exit.orElseThrow();
    Tensor y = exit.advance(sequence.ops(), rows, s.exitCache.orElseThrow(), s.exitDone);
    s.exitDone = end;
    return y;
  }

  /** Keys and values of the exit's own layer up to position {@code end}, in such batches. */
  private void fillExit(Progress s, int end) {
    while (s.exitDone < end) {
      int to = Math.min(end, s.exitDone + Kernels.ROW_STABLE);
      Tensor rows = s.hidden(s.exitDone, to);
      s.exit.orElseThrow().fill(sequence.ops(), rows, s.exitCache.orElseThrow(), s.exitDone);
      s.exitDone = to;
    }
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
    for (int i = 0; i < segments.size(); i++) {
      Progress s = segments.get(i);
      if (s.done < position) {
        // never the first segment: every token passes it
        Progress lower = segments.get(i - 1);
        sequence.step(
            () -> {
              Tensor y = sequence.layers(lower.hidden(s.done, position), s.from, s.to, s.done).x();
              if (s.hidden != null) {
                sequence.ops().kernels().copy(y.span(), s.hidden(s.done, position).span());
              }
              s.done = position;
              return null;
            });
      }
      if (s.exitCache.isPresent() && s.exitDone < position) {
        sequence.step(
            () -> {
              fillExit(s, position);
              return null;
            });
      }
    }
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void rewind(int count) {
    position = Sequence.checkKept(count, position);
    for (Progress s : segments) {
      s.done = Math.min(s.done, position);
      s.exitDone = Math.min(s.exitDone, position);
    }
    pace.rewind(position);
  }

  @Override
  public void close() {
    sequence.close();
  }
}

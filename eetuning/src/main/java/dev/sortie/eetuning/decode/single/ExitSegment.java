package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.HiddenState;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.KvCache;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Optional;

/**
 * A segment of the backbone over one text: how far it has come, and what the exit behind it has
 * said of the tokens being read. Everything is kept by position, so going back is a smaller number.
 */
final class ExitSegment {
  private final Sequence sequence;
  private final TextTokens text;
  private final int from;
  private final int to;
  private final Optional<Exit> exit;
  private final Optional<KvCache> exitCache;

  /** Output of layer {@code to} by position, {@code [capacity, C]}. */
  private final Tensor hidden;

  /**
   * Residual after attention there, {@code [capacity, C]}; null where the exit does not read it.
   */
  private final Tensor residual;

  /**
   * What the exit's head read at the positions {@code heard .. heardEnd - 1}, and said of the
   * tokens that it always covers.
   */
  private final Tensor states;

  private final Tensor logits;
  private int heard;
  private int heardEnd;

  /** Positions done in this segment's layers. */
  private int done;

  /** Positions done in the exit's own layer. */
  private int exitDone;

  /**
   * A segment of {@code sequence}.
   *
   * @param text what was read, when the exit is asked
   * @param rows tokens about which the exit is asked at once, at most
   */
  ExitSegment(Segment segment, Sequence sequence, TextTokens text, int rows) {
    this.sequence = sequence;
    this.text = text;
    this.from = segment.from();
    this.to = segment.to();
    this.exit = segment.exit();
    this.exitCache =
        exit.filter(Exit::hasCache)
            .map(e -> e.cache(sequence.arena(), DType.F32, sequence.capacity()));
    int width = sequence.decoder().config().hidden();
    this.hidden = store(sequence.capacity(), width);
    boolean reads = exit.filter(Exit::readsResidual).isPresent();
    this.residual = reads ? store(sequence.capacity(), width) : null;
    this.states = exit.isPresent() ? store(rows, width) : null;
    this.logits = exit.map(e -> store(rows, tokens(e))).orElse(null);
  }

  private Tensor store(int rows, int width) {
    return Tensor.allocate(sequence.arena(), DType.F32, Shape.of(rows, width));
  }

  private int tokens(Exit e) {
    return e.draft().map(DraftVocabulary::size).orElse(sequence.decoder().config().vocab());
  }

  Optional<Exit> exit() {
    return exit;
  }

  int from() {
    return from;
  }

  int to() {
    return to;
  }

  int done() {
    return done;
  }

  /** Outputs of positions {@code first .. end - 1}, {@code [1, end - first, C]}. */
  Tensor hidden(int first, int end) {
    return Sequence.rows(hidden, first, end);
  }

  /** Runs its layers over the tokens that lack them, up to position {@code end}. */
  void run(Tensor in, int end) {
    HiddenState out = sequence.layers(in, from, to, done);
    copy(out.x(), hidden(done, end));
    if (residual != null) {
      copy(out.a(), Sequence.rows(residual, done, end));
    }
    done = end;
  }

  /** A piece of a prompt, up to position {@code end}, has passed its layers, to x if not null. */
  void prompt(Tensor x, int end) {
    if (x != null && exitCache.isPresent()) {
      exit.orElseThrow().fill(sequence.ops(), x, exitCache.get(), done);
    }
    done = end;
    exitDone = end;
  }

  private void copy(Tensor from, Tensor to) {
    sequence.ops().kernels().copy(from.span(), to.span());
  }

  /** Output of one position, as {@code [1, C]}. */
  Tensor state(int position) {
    return Sequence.lastRow(hidden(position, position + 1));
  }

  /**
   * What the exit says after the token at {@code position}. It is asked about all tokens from there
   * to {@code end} at once, unless it was before.
   *
   * @param before what the exit asked before it said of that token, or null
   */
  ExitEvidence ask(int position, int end, ExitEvidence.Said before) {
    if (!hasHeard(position)) {
      hear(position, end);
    }
    return said(position, before);
  }

  /** Whether the exit was asked about the token at {@code position}. */
  boolean hasHeard(int position) {
    return position >= heard && position < heardEnd;
  }

  /** What it said then. */
  ExitEvidence said(int position, ExitEvidence.Said before) {
    Exit e = exit.orElseThrow();
    Ops ops = sequence.ops();
    Tensor state = heard(states, position);
    ExitAnswer answer = text.answer(ops, e, state, heard(logits, position), position + 1);
    return new ExitEvidence(ops, e, state, answer, before);
  }

  private Tensor heard(Tensor of, int position) {
    int row = position - heard;
    return Sequence.lastRow(Sequence.rows(of, row, row + 1));
  }

  private void hear(int position, int end) {
    Exit e = exit.orElseThrow();
    Tensor x = exitCache.isPresent() ? advance(position, end) : hidden(position, end);
    Tensor a = residual == null ? x : Sequence.rows(residual, position, end);
    Tensor state = e.headState(sequence.ops(), x, a);
    copy(state, Sequence.rows(states, 0, end - position));
    copy(e.headLogits(sequence.ops(), state), Sequence.rows(logits, 0, end - position));
    heard = position;
    heardEnd = end;
  }

  /**
   * Runs the exit's own layer for the tokens from {@code position} to {@code end}, and for those
   * before them that lack it: nearly two batches of stable rows at most.
   */
  private Tensor advance(int position, int end) {
    Exit e = exit.orElseThrow();
    KvCache cache = exitCache.orElseThrow();
    boolean one = end - position == 1;
    fill(one ? end - Kernels.ROW_STABLE : position);
    Tensor rows = hidden(exitDone, end);
    Tensor y =
        one
            ? e.advance(sequence.ops(), rows, cache, exitDone)
            : e.advanceEach(sequence.ops(), rows, cache, exitDone);
    exitDone = end;
    return y;
  }

  /**
   * The exit is not asked about the token before position {@code end}: its own layer waits too, as
   * long as all that wait are a batch of stable rows.
   */
  void pass(int end) {
    if (end - exitDone >= Kernels.ROW_STABLE) {
      fill(end);
    }
  }

  /** Keys and values of the exit's own layer up to position {@code end}, in such batches. */
  void fill(int end) {
    if (exitCache.isEmpty()) {
      return;
    }
    while (exitDone < end) {
      int next = Math.min(end, exitDone + Kernels.ROW_STABLE);
      exit.orElseThrow().fill(sequence.ops(), hidden(exitDone, next), exitCache.get(), exitDone);
      exitDone = next;
    }
  }

  /** Forgets positions {@code count} and above. */
  void rewind(int count) {
    done = Math.min(done, count);
    exitDone = Math.min(exitDone, count);
    heardEnd = Math.min(heardEnd, count);
  }
}

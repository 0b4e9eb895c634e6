package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.KvCache;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * How far one text has come in one segment, and what the exit after it has said of the tokens being
 * read. All is by position, so going back is a smaller number.
 */
final class SegmentState {
  private final Segment segment;
  private final SequenceState text;

  /** What its layers read. */
  final RecentStates inputs;

  /** Outputs of its last layer; null of an outlet. */
  final RecentStates outputs;

  /** Residuals after attention there; {@link #outputs} again where the exit does not read them. */
  final RecentStates residuals;

  /** Of the exit's own layer; null where it has none, or is never asked. */
  final KvCache exitCache;

  /** What the exit said; null without one. */
  final HeadRows heads;

  /** Positions done in its layers; of an outlet, those that were sent on. */
  int done;

  /** Positions done in the exit's own layer. */
  int exitDone;

  /**
   * Before the first token.
   *
   * @param outputs null for an outlet
   * @param exitCache null where the exit has no layer of its own, or is never asked
   * @param rows tokens about which the exit is asked at once, at most
   */
  SegmentState(
      Segment segment,
      SequenceState text,
      RecentStates inputs,
      RecentStates outputs,
      KvCache exitCache,
      int rows) {
    Sequence s = text.sequence();
    int hidden = s.decoder().config().hidden();
    this.segment = segment;
    this.text = text;
    this.inputs = inputs;
    this.outputs = outputs;
    this.residuals =
        segment.exit().filter(Exit::readsResidual).isPresent()
            ? new RecentStates(s.arena(), hidden)
            : outputs;
    this.exitCache = exitCache;
    int vocab = s.decoder().config().vocab();
    this.heads =
        segment
            .exit()
            .map(e -> new HeadRows(s, rows, e.draft().map(DraftVocabulary::size).orElse(vocab)))
            .orElse(null);
  }

  /** Inputs of the positions after those that there are, {@code [.., C]}. */
  void arrive(int first, Tensor states) {
    inputs.put(text.sequence().ops(), Math.min(done, first), first, states);
  }

  /**
   * Its layers have run over the next positions.
   *
   * @param x outputs {@code [.., C]}
   * @param a residuals after attention, of the same shape
   */
  void ran(Tensor x, Tensor a) {
    Ops ops = text.sequence().ops();
    int needed = Math.min(done, text.position());
    if (residuals != outputs) {
      residuals.put(ops, needed, done, a);
    }
    if (exitCache != null) {
      needed = Math.min(needed, exitDone);
    }
    outputs.put(ops, Math.min(needed, text.doneBehind(segment)), done, x);
    done += Sequence.count(x);
  }

  /** What the exit said of the token at {@code position}. */
  ExitEvidence evidence(int position, ExitEvidence.Said before) {
    Exit e = segment.exit().orElseThrow();
    Ops ops = text.sequence().ops();
    Tensor state = heads.state(position);
    return new ExitEvidence(
        ops,
        e,
        state,
        text.tokens.answer(ops, e, state, heads.logits(position), position + 1),
        before);
  }

  /** Whether the exit was asked about the token at {@code position} and would let it go. */
  boolean leaves(int position) {
    ExitPolicy p = text.policy;
    return heads != null
        && heads.has(position)
        && p.exits(segment.exit().orElseThrow().depth(), p.confidence(evidence(position, null)));
  }

  /** Forgets positions {@code count} and above. */
  void rewind(int count) {
    done = Math.min(done, count);
    exitDone = Math.min(exitDone, count);
    if (heads != null) {
      heads.rewind(count);
    }
  }
}

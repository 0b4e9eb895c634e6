package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.RowPasses.Rows;
import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * One token of each of up to {@link Kernels#ROW_STABLE} sequences on its way down. Those that leave
 * at an exit are not in what follows; where a sequence goes deeper, its deficit tokens come along.
 */
public final class BatchDescent {
  private final Decoder decoder;
  private final List<Segment> segments;
  private final Ops ops;
  private final RowPasses passes;

  public BatchDescent(Decoder decoder, List<Segment> segments, Ops ops) {
    this.decoder = decoder;
    this.segments = segments;
    this.ops = ops;
    this.passes = new RowPasses(decoder, segments, ops);
  }

  /** Hears what follows the token of a sequence, as soon as it is known. */
  @FunctionalInterface
  public interface Answers {
    void take(SequenceProgress sequence, Step step);
  }

  /**
   * Brings the token that each sequence has at the first segment through the layers.
   *
   * @return the sequences that have no answer, at the outlet
   */
  public List<SequenceProgress> run(List<SequenceProgress> sequences, Answers answers) {
    List<SequenceProgress> live = sequences;
    for (Segment g : segments) {
      if (live.isEmpty() || g.isOutlet()) {
        live.forEach(SequenceProgress::leavesBelow);
        break;
      }
      passes.through(
          g, live.stream().map(s -> new Rows(s, s.done(g.index()), s.position() + 1)).toList());
      if (g.exit().isPresent()) {
        live = ask(g, g.exit().get(), live, answers);
      }
      if (g == segments.getLast() && !live.isEmpty()) {
        live = answer(live, answers);
      }
    }
    sequences.forEach(SequenceProgress::readOne);
    return live;
  }

  /** Puts the vectors of {@code tokens} where the first segment reads them. */
  public void embed(List<SequenceProgress> sequences, int[] tokens) {
    int[] at = sequences.stream().mapToInt(SequenceProgress::position).toArray();
    Tensor ids = Tensor.ids(ops.workspace(), Shape.of(tokens.length, 1), tokens);
    Tensor x = decoder.embed(ops, ids, at);
    for (int i = 0; i < at.length; i++) {
      sequences.get(i).said(null);
      ops.kernels().copy(RowPasses.row(x, i).span(), sequences.get(i).input(0, at[i]).span());
    }
  }

  /** Asks an exit; returns the sequences that go deeper. */
  private List<SequenceProgress> ask(
      Segment g, Exit exit, List<SequenceProgress> live, Answers answers) {
    List<SequenceProgress> wanted = new ArrayList<>();
    List<Rows> waiting = new ArrayList<>();
    List<Rows> advanced = new ArrayList<>();
    for (SequenceProgress s : live) {
      boolean asks = s.asks(g.index()) && worthwhile(s, exit);
      if (asks) {
        wanted.add(s);
      }
      if (s.exitCache(g.index()) == null) {
        continue;
      }
      // where its answer is not wanted, the exit's own layer waits too, as long as all that wait
      // are a batch of stable rows
      int from = s.exitDone(g.index());
      int end = s.position() + 1;
      if (asks) {
        advanced.add(new Rows(s, end - 1, end));
      }
      int until = asks ? end - 1 : end;
      if (until > from && (asks || until - from >= Kernels.ROW_STABLE)) {
        waiting.add(new Rows(s, from, until));
      }
    }
    passes.fillExit(g, waiting);
    passes.throughExit(g, advanced);
    if (wanted.isEmpty()) {
      return live;
    }
    Tensor x = passes.stacked(wanted.stream().map(SequenceProgress::x).toList());
    Tensor a = passes.stacked(wanted.stream().map(SequenceProgress::a).toList());
    Tensor state = exit.headState(ops, x, a);
    Tensor logits = exit.headLogits(ops, state);
    List<SequenceProgress> deeper = new ArrayList<>(live);
    for (int i = 0; i < wanted.size(); i++) {
      SequenceProgress s = wanted.get(i);
      Tensor row = RowPasses.row(state, i);
      ExitAnswer answer =
          s.text().answer(ops, exit, row, RowPasses.row(logits, i), s.position() + 1);
      ExitEvidence evidence = new ExitEvidence(ops, exit, row, answer, s.said());
      s.said(evidence.said());
      double confidence = s.policy().confidence(evidence);
      if (s.policy().exits(exit.depth(), confidence)) {
        answers.take(s, s.reader().read(answer, exit.depth(), confidence));
        s.leaves(g.index());
        deeper.remove(s);
      }
    }
    return deeper;
  }

  private boolean worthwhile(SequenceProgress s, Exit exit) {
    ExitPolicy p = s.policy();
    return !p.usesProbe()
        || p.worthwhile(exit.depth(), exit.gates().probe().orElseThrow().probability(ops, s.x()));
  }

  /** The final layer's answers, for all that are left. */
  private List<SequenceProgress> answer(List<SequenceProgress> live, Answers answers) {
    Tensor x = passes.stacked(live.stream().map(SequenceProgress::x).toList());
    TopTokens top = TopTokens.of(ops, decoder.logits(ops, x));
    for (int i = 0; i < live.size(); i++) {
      SequenceProgress s = live.get(i);
      Tensor logits = RowPasses.row(top.logits(), i);
      answers.take(s, s.reader().read(logits, OptionalInt.empty(), top.probability(i)));
      s.leavesBelow();
    }
    return List.of();
  }
}

package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.nn.Norm;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.Ops;
import java.util.List;
import java.util.Optional;

/**
 * Losses of a lookahead exit on whole windows. State {@code y_t} of unroll step {@code s} (from 1)
 * stands for the final hidden state {@code h_{t+s}}: it is compared with the distribution that the
 * backbone has there, or with token {@code t+s+1}. States of further steps attend to the text, not
 * to what the exit makes of it, as drafts do in decoding (EAGLE-3, arXiv 2503.01840, section 3.2).
 *
 * @param exit the exit
 * @param finalNorm the backbone's
 * @param teacherHead the rows of the backbone's head that the exit covers, for {@code kl}
 * @param options what is trained
 * @param lookahead how
 */
record LookaheadLoss(
    Lookahead exit,
    Norm finalNorm,
    Optional<Tensor> teacherHead,
    TuneOptions options,
    LookaheadOptions lookahead) {

  /**
   * The loss.
   *
   * @param reported nats per token as {@link dev.sortie.eetuning.train.TrainingJob} has them, the
   *     mean of the unroll steps, {@code [1]}
   * @param objective what is minimised, a scalar
   */
  record Value(Tensor reported, Tensor objective) {}

  /**
   * The loss over some windows.
   *
   * @param joined what the exit reads of the windows' inputs, {@code [B, T, C]}
   * @param h final hidden states there
   * @param share these windows' share of all that a step sums over
   */
  Value of(Ops ops, int[][] windows, Tensor joined, Tensor h, double share) {
    int batch = windows.length;
    int length = windows[0].length - 1;
    Tensor state = joined;
    Tensor text = null;
    Tensor sum = null;
    Tensor extra = null;
    for (int s = 1; s <= lookahead.unroll(); s++) {
      int rows = length - s;
      // y_t for t + s < T: there the backbone's state is known
      Tensor u = exit.input(ops, first(ops, state, rows), ids(ops, windows, s, rows), s - 1);
      if (s == 1) {
        text = u;
        state = exit.states(ops, u);
      } else {
        state = exit.statesAhead(ops, u, first(ops, text, rows), s - 1);
      }
      Tensor truth = ops.contiguous(ops.slice(h, 1, s, rows));
      double count = batch * (double) rows / share;
      Tensor loss = loss(ops, windows, state, truth, s, count);
      sum = sum == null ? loss : ops.add(sum, loss);
      if (lookahead.hiddenWeight() > 0) {
        Tensor distance = distance(ops, state, truth, count);
        extra = extra == null ? distance : ops.add(extra, distance);
      }
    }
    Tensor mean = ops.scale(sum, 1.0 / lookahead.unroll());
    Tensor objective = ops.sum(mean);
    if (extra != null) {
      double factor = lookahead.hiddenWeight() / lookahead.unroll();
      objective = ops.add(objective, ops.scale(extra, factor));
    }
    return new Value(mean, objective);
  }

  private Tensor loss(
      Ops ops, int[][] windows, Tensor state, Tensor truth, int step, double count) {
    HeadInput student = exit.headInput(ops, state);
    Tensor targets = targets(ops, windows, step + 1, (int) truth.shape().dim(1));
    boolean confident = options.confidenceWeights();
    if (options.objective() == Objective.KL) {
      HeadInput teacher = new HeadInput(finalNorm.apply(ops, truth), teacherHead.orElseThrow());
      return TokenLoss.kl(
          ops, exit.sharding(), List.of(student), teacher, targets, confident, count);
    }
    Tensor loss = TokenLoss.crossEntropy(ops, exit.sharding(), student, targets, confident, count);
    return ops.reshape(loss, 1);
  }

  /** Mean squared distance of the states after the final norm. */
  private Tensor distance(Ops ops, Tensor state, Tensor truth, double count) {
    Tensor difference =
        ops.add(finalNorm.apply(ops, state), ops.scale(finalNorm.apply(ops, truth), -1));
    double elements = count * state.shape().dim(-1);
    return ops.scale(ops.sum(ops.mul(difference, difference)), 1 / elements);
  }

  private static Tensor first(Ops ops, Tensor x, int rows) {
    return x.shape().dim(1) == rows ? x : ops.contiguous(ops.slice(x, 1, 0, rows));
  }

  /** Tokens {@code t + shift} for the first {@code rows} positions {@code t}. */
  private static Tensor ids(Ops ops, int[][] windows, int shift, int rows) {
    int[] ids = new int[windows.length * rows];
    for (int b = 0; b < windows.length; b++) {
      System.arraycopy(windows[b], shift, ids, b * rows, rows);
    }
    return Tensor.ids(ops.workspace(), Shape.of(windows.length, rows), ids);
  }

  private Tensor targets(Ops ops, int[][] windows, int shift, int rows) {
    Tensor ids = ids(ops, windows, shift, rows);
    return options.objective() == Objective.KL
        ? ids
        : exit.draft().map(d -> d.indices(ids, ops.workspace())).orElse(ids);
  }
}

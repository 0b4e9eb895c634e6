package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.eetuning.exit.Gates;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Fits the {@link Gates} of tuned exits: a probe that says from the hidden state whether an exit
 * will agree with full depth, and for a draft head whether full depth takes a token that it covers.
 * Both are logistic regressions on training windows, with their errors taken on held-out ones.
 *
 * @param decoder the backbone
 * @param data what the exits were tuned on
 * @param backbone where hidden states come from
 * @param device where to compute
 */
record GateFitter(Decoder decoder, TokenSource data, FeatureSource backbone, Device device) {

  /** One regression's rows: inputs divided by their root mean square, and yes or no for each. */
  private record Rows(List<float[]> inputs, List<Boolean> answers) {
    Rows() {
      this(new ArrayList<>(), new ArrayList<>());
    }
  }

  /** What is gathered of one exit. */
  private record Gathered(Rows probe, Rows coverage) {
    Gathered() {
      this(new Rows(), new Rows());
    }
  }

  /**
   * The exits with gates.
   *
   * @param tokens of training text to fit to, about; of held-out text half as many are asked
   * @param allocator for the gates
   */
  Exits fit(Exits exits, int tokens, Allocator allocator) {
    int windows = Math.max(1, tokens / data.length());
    List<Exit> fitted = new ArrayList<>();
    for (Exit e : exits.exits()) {
      Gathered training = new Gathered();
      Gathered heldOut = new Gathered();
      try (Workspace workspace = new Workspace()) {
        Ops ops = new Ops(device, workspace);
        for (int i = 0; i < Math.min(windows, data.distinctWindows()); i++) {
          Microbatch one = Microbatch.training(data, i, 1);
          NoGrad.run(() -> gather(ops, e, one, training));
          workspace.reset();
        }
        for (int i = 0; i < Math.min((windows + 1) / 2, data.validationCount()); i++) {
          Microbatch one = Microbatch.heldOut(data, i, 1);
          NoGrad.run(() -> gather(ops, e, one, heldOut));
          workspace.reset();
        }
      }
      Optional<Gate> probe = gate(training.probe, heldOut.probe, allocator);
      Optional<Gate> coverage =
          e.draft().isPresent()
              ? gate(training.coverage, heldOut.coverage, allocator)
              : Optional.empty();
      fitted.add(e.with(new Gates(probe, coverage)));
    }
    return exits.with(fitted);
  }

  private void gather(Ops ops, Exit e, Microbatch one, Gathered to) {
    int layers = decoder.config().layers();
    Batch batch = Batch.of(ops.workspace(), one.windows());
    Map<Integer, HiddenState> states =
        backbone.states(
            ops, batch.inputs(), one.numbers(), new TreeSet<>(List.of(e.depth(), layers)));
    HiddenState in = states.get(e.depth());
    Tensor z = e.headInput(ops, in.x(), in.a()).x();
    int[] own = TopTokens.of(ops, e.headLogits(ops, z)).ids();
    int[] truth = TopTokens.of(ops, decoder.logits(ops, states.get(layers).x())).ids();
    float[][] x = normed(ops, in.x());
    float[][] heads = normed(ops, z);
    for (int t = 0; t < truth.length; t++) {
      to.probe.inputs.add(x[t]);
      to.probe.answers.add(e.token(own[t]) == truth[t]);
      int token = truth[t];
      to.coverage.inputs.add(heads[t]);
      to.coverage.answers.add(e.draft().map(d -> d.index(token) >= 0).orElse(true));
    }
  }

  private float[][] normed(Ops ops, Tensor x) {
    int width = x.shape().size(-1);
    Tensor ones = ops.full(DType.F32, Shape.of(width), 1);
    float[] all = ops.rmsNorm(x, ones, decoder.config().normEps()).toFloats();
    float[][] rows = new float[all.length / width][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.copyOfRange(all, r * width, (r + 1) * width);
    }
    return rows;
  }

  /** The negative log-likelihood of an answer, from log-odds. */
  private static double loss(double score, boolean answer) {
    double z = answer ? -score : score;
    return z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z));
  }

  /**
   * None where there is nothing to tell apart, nothing to judge it by, or where it foretells
   * held-out answers no better than their share in training does: such a gate would do harm.
   */
  private Optional<Gate> gate(Rows training, Rows heldOut, Allocator allocator) {
    if (heldOut.inputs.isEmpty() || training.answers.stream().distinct().count() < 2) {
      return Optional.empty();
    }
    LogisticRegression r = LogisticRegression.fit(training.inputs, training.answers, device);
    long wrong = 0;
    long yes = 0;
    double loss = 0;
    for (int i = 0; i < heldOut.inputs.size(); i++) {
      boolean answer = heldOut.answers.get(i);
      double score = r.score(heldOut.inputs.get(i));
      wrong += (score >= 0) == answer ? 0 : 1;
      yes += answer ? 1 : 0;
      loss += loss(score, answer);
    }
    // what the share of yes alone, as seen in training, would lose
    long before = training.answers.stream().filter(a -> a).count();
    double odds = Math.log((double) before / (training.answers.size() - before));
    double least = yes * loss(odds, true) + (heldOut.inputs.size() - yes) * loss(odds, false);
    if (loss >= least) {
      return Optional.empty();
    }
    long n = heldOut.inputs.size();
    Gate.Report report =
        new Gate.Report(n, (double) wrong / n, (double) Math.min(yes, n - yes) / n);
    Tensor weight = Tensor.of(allocator, Shape.of(r.weight().length), r.weight());
    Tensor bias = Tensor.of(allocator, Shape.of(1), r.bias());
    return Optional.of(new Gate(weight, bias, decoder.config().normEps(), report));
  }
}

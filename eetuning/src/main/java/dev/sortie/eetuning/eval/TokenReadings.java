package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What each exit and the final layer say of the last tokens of a given text. The KV cache of
 * early-exit decoding is exact, so these are the bits' worth of what decoding sees at the same
 * place of the same text.
 *
 * @param depths depths of the exits, shallow first
 * @param exits readings of each exit, in that order
 * @param last readings of the final layer
 */
public record TokenReadings(List<Integer> depths, List<Head> exits, Head last) {
  /** Positions whose logits are in memory at once. */
  private static final int CHUNK = 64;

  /**
   * One head's readings, an element for each predicted token.
   *
   * @param choices most likely tokens
   * @param confidences their probabilities among all tokens, at temperature 1, as decoding has them
   * @param nll negative log-likelihood of the tokens that stand in the text, nats; infinite where a
   *     draft head does not cover them
   */
  public record Head(int[] choices, double[] confidences, double[] nll) {}

  /** Number of predicted tokens. */
  public int tokens() {
    return last.choices().length;
  }

  /**
   * Reads a text whose first {@code given} tokens are not predicted.
   *
   * @param ids the text, at most one token longer than the context
   * @param given at least 1, fewer than {@code ids}
   */
  public static TokenReadings of(
      LanguageModel model, Exits exits, Device device, int[] ids, int given) {
    if (given < 1 || given >= ids.length) {
      throw new IllegalArgumentException(
          given + " tokens given of " + ids.length + ", expected 1 to " + (ids.length - 1));
    }
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device, workspace);
      return NoGrad.call(() -> read(model, exits, ops, ids, given));
    }
  }

  private static TokenReadings read(
      LanguageModel model, Exits exits, Ops ops, int[] ids, int given) {
    int count = ids.length - 1;
    Map<Integer, Tensor[]> tapped = new LinkedHashMap<>();
    Tensor inputs = Tensor.ids(ops.workspace(), Shape.of(1, count), Arrays.copyOf(ids, count));
    Tensor x =
        model
            .decoder()
            .forward(
                ops,
                inputs,
                model.config().decoder().layers(),
                (depth, a, y) -> {
                  if (exits.depths().contains(depth)) {
                    tapped.put(depth, new Tensor[] {y, a});
                  }
                });
    List<Head> heads = new ArrayList<>();
    for (Exit e : exits.exits()) {
      try (var _ = ops.workspace().mark()) {
        Tensor[] in = tapped.get(e.depth());
        HeadInput head = e.headInput(ops, in[0], in[1]);
        heads.add(head(ops, head, Optional.of(e), ids, given));
      }
    }
    HeadInput head = model.decoder().headInput(ops, x);
    return new TokenReadings(exits.depths(), heads, head(ops, head, Optional.empty(), ids, given));
  }

  private static Head head(Ops ops, HeadInput input, Optional<Exit> exit, int[] ids, int given) {
    Optional<DraftVocabulary> draft = exit.flatMap(Exit::draft);
    Optional<Gate> coverage = exit.flatMap(e -> e.gates().coverage());
    int count = ids.length - given;
    Head all = new Head(new int[count], new double[count], new double[count]);
    for (int from = 0; from < count; from += CHUNK) {
      int rows = Math.min(CHUNK, count - from);
      try (var _ = ops.workspace().mark()) {
        Tensor some = ops.contiguous(ops.slice(input.x(), 1, given - 1 + from, rows));
        Tensor logits = ops.linear(some, input.w(), null);
        TopTokens top = TopTokens.of(ops, logits);
        int[] texts = Arrays.copyOfRange(ids, given + from, given + from + rows);
        Tensor targets = Tensor.ids(ops.workspace(), Shape.of(1, rows), texts);
        if (draft.isPresent()) {
          targets = draft.get().indices(targets, ops.workspace());
        }
        Tensor nll = ops.crossEntropy(logits, targets);
        int[] choices = top.ids();
        for (int i = 0; i < rows; i++) {
          int choice = choices[i];
          boolean covered = targets.span().getInt(i) >= 0;
          all.choices()[from + i] = draft.map(d -> d.id(choice)).orElse(choice);
          double covering = coverage.isEmpty() ? 1 : coverage.get().probability(ops, row(some, i));
          all.confidences()[from + i] = covering * top.probability(i);
          all.nll()[from + i] = covered ? nll.span().get(i) : Double.POSITIVE_INFINITY;
        }
      }
    }
    return all;
  }

  private static Tensor row(Tensor x, int i) {
    long width = x.shape().dim(-1);
    return Tensor.of(x.span().slice(i * width, width), Shape.of(1, width));
  }
}

package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.policy.ExitEvidence;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.InputException;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.HeadInput;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What each exit and the final layer say of the last tokens of a given text. The KV cache of
 * early-exit decoding is exact, so decoding sees the same at the same place of the same text, up to
 * the rounding of passes over more tokens.
 *
 * @param text the text's tokens; the first are not predicted
 * @param depths depths of the exits, shallow first
 * @param exits readings of each exit, in that order
 * @param last readings of the final layer
 */
public record TokenReadings(int[] text, List<Integer> depths, List<Head> exits, Head last) {
  /** Positions whose logits are in memory at once. */
  private static final int CHUNK = 64;

  /** Tokens of a window of a text, and those of them that are not predicted. */
  private static final int WINDOW = 256;

  private static final int GIVEN = 8;

  /** The fewest tokens of a text that has a predicted one. */
  public static final int FEWEST = GIVEN + 1;

  /**
   * One head's readings, an element for each predicted token.
   *
   * @param choices most likely tokens
   * @param confidences their probabilities among all tokens, at temperature 1, as decoding has them
   * @param nll negative log-likelihood of the tokens that stand in the text, nats; infinite where a
   *     draft head does not cover them
   */
  public record Head(int[] choices, double[] confidences, double[] nll) {
    private static Head of(int tokens) {
      return new Head(new int[tokens], new double[tokens], new double[tokens]);
    }
  }

  /** Number of predicted tokens. */
  public int tokens() {
    return last.choices().length;
  }

  /** Number of tokens before them. */
  public int given() {
    return text.length - tokens();
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
      Ops ops = new Ops(device.stepwise(), workspace);
      return NoGrad.call(() -> read(model, exits, ops, ids, given));
    }
  }

  /**
   * Reads texts, each in windows of up to 256 tokens, of which the first 8 are not predicted.
   *
   * @param most tokens that are read, the first of all
   * @param progress is told after each window
   * @throws InputException if no text has 9 tokens
   */
  public static List<TokenReadings> ofTexts(
      LanguageModel model,
      Exits exits,
      Device device,
      List<String> texts,
      int most,
      TextScorer.Progress progress) {
    List<int[]> encoded = first(most, texts.stream().map(model.tokenizer()::encode).toList());
    int tokens = encoded.stream().mapToInt(ids -> ids.length).sum();
    int window = Math.min(WINDOW, model.config().decoder().context());
    List<TokenReadings> all = new ArrayList<>();
    int before = 0;
    for (int[] ids : encoded) {
      for (int from = 0; ids.length - from > GIVEN; from += window) {
        int to = Math.min(ids.length, from + window);
        all.add(of(model, exits, device, Arrays.copyOfRange(ids, from, to), GIVEN));
        progress.read(before + to, tokens);
      }
      before += ids.length;
    }
    if (all.isEmpty()) {
      throw new InputException(
          "the text has %d tokens; at least %d are needed".formatted(tokens, FEWEST));
    }
    return all;
  }

  /** The first {@code most} tokens of several texts. */
  private static List<int[]> first(int most, List<int[]> encoded) {
    List<int[]> some = new ArrayList<>();
    int left = most;
    for (int[] ids : encoded) {
      some.add(Arrays.copyOf(ids, Math.min(left, ids.length)));
      left -= some.getLast().length;
    }
    return some;
  }

  private static TokenReadings read(
      LanguageModel model, Exits exits, Ops ops, int[] ids, int given) {
    int count = ids.length - 1;
    int[] inputs = Arrays.copyOf(ids, count);
    TappedStates tapped = TappedStates.of(model, exits, ops, inputs);
    TextTokens text = new TextTokens(exits.exits(), count, ops.workspace());
    text.read(ops, 0, inputs);
    List<Head> heads = new ArrayList<>();
    for (Exit e : exits.exits()) {
      try (var _ = ops.workspace().mark()) {
        TappedStates.Tap in = tapped.exits().get(e.depth());
        Tensor states = e.headInput(ops, in.x(), in.a()).x();
        heads.add(head(ops, e, states, text, ids, given));
      }
    }
    HeadInput last = model.decoder().headInput(ops, tapped.last());
    return new TokenReadings(ids, exits.depths(), heads, last(ops, last, ids, given));
  }

  /** An exit's readings, each of what its head covers at that place of the text. */
  private static Head head(
      Ops ops, Exit exit, Tensor states, TextTokens text, int[] ids, int given) {
    Head all = Head.of(ids.length - given);
    chunks(
        ops,
        states,
        given,
        (from, some) -> {
          Tensor logits = exit.headLogits(ops, some);
          for (int i = 0; i < some.shape().size(1); i++) {
            int place = given + from + i;
            Tensor state = row(some, i);
            ExitAnswer answer = text.answer(ops, exit, state, row(logits, i), place);
            all.choices()[from + i] = answer.token();
            all.confidences()[from + i] =
                new ExitEvidence(ops, exit, state, answer, null).maxProbability();
            all.nll()[from + i] = answer.nll(ids[place]);
          }
        });
    return all;
  }

  private static Head last(Ops ops, HeadInput input, int[] ids, int given) {
    Head all = Head.of(ids.length - given);
    chunks(
        ops,
        input.x(),
        given,
        (from, some) -> {
          TopTokens top = TopTokens.of(ops, ops.linear(some, input.w(), null));
          int rows = some.shape().size(1);
          int[] texts = Arrays.copyOfRange(ids, given + from, given + from + rows);
          Tensor targets = Tensor.ids(ops.workspace(), Shape.of(1, rows), texts);
          Tensor nll = ops.crossEntropy(top.logits(), targets);
          int[] choices = top.ids();
          for (int i = 0; i < rows; i++) {
            all.choices()[from + i] = choices[i];
            all.confidences()[from + i] = top.probability(i);
            all.nll()[from + i] = nll.span().get(i);
          }
        });
    return all;
  }

  /** Takes some of the states in front of predicted tokens, {@code [1, R, C]}. */
  private interface Chunk {
    void take(int from, Tensor some);
  }

  private static void chunks(Ops ops, Tensor states, int given, Chunk chunk) {
    int count = states.shape().size(1) + 1 - given;
    for (int from = 0; from < count; from += CHUNK) {
      int rows = Math.min(CHUNK, count - from);
      try (var _ = ops.workspace().mark()) {
        chunk.take(from, ops.contiguous(ops.slice(states, 1, given - 1 + from, rows)));
      }
    }
  }

  private static Tensor row(Tensor x, int i) {
    long width = x.shape().dim(-1);
    return Tensor.of(x.span().slice(i * width, width), Shape.of(1, width));
  }
}

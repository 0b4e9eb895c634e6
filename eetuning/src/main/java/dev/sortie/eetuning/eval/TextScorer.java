package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.InputException;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * How well the final layer and each exit predict a text, or several. Each text is one document: BOS
 * as the tokenizer adds it, then its tokens, cut into windows of the context length; every token
 * but the first of a window is predicted and counted.
 *
 * @param model the backbone
 * @param exits its exits, maybe none
 * @param device where to compute
 */
public record TextScorer(LanguageModel model, Exits exits, Device device) {

  /**
   * Scores of one head. NaN where there is no token to score: {@code nll} if a draft head covers
   * none of the text, all three for a lookahead exit if no window has three tokens.
   *
   * @param nll mean negative log-likelihood, nats per token, of the tokens that the head covers
   * @param agreement share of all tokens whose most likely token equals the final layer's
   * @param coverage share of tokens that the head covers: 1 but for a draft head
   */
  public record Score(double nll, double agreement, double coverage) {
    /** {@code e^nll}. */
    public double perplexity() {
      return Math.exp(nll);
    }
  }

  /**
   * Scores of all heads.
   *
   * @param tokens tokens predicted
   * @param bytes UTF-8 bytes of the texts
   * @param heads by exit depth, shallow first, then {@code final}, then {@code lookahead} if there
   *     is one: it predicts each token but the first of a window one token earlier
   */
  public record Result(long tokens, long bytes, SequencedMap<String, Score> heads) {
    /** {@code nll · tokens / bytes / ln 2}. */
    public double bitsPerByte(Score s) {
      return s.nll() * tokens / bytes / Math.log(2);
    }
  }

  /** Is told how far scoring is. */
  @FunctionalInterface
  public interface Progress {
    /** Nobody is told. */
    Progress NONE = (read, all) -> {};

    /** So many of the text's tokens are read. */
    void read(long tokens, long all);
  }

  /** Running sums of one head. */
  private static final class Sums {
    double nll;
    long covered;
    long agreed;
    long counted;

    Score score() {
      return new Score(nll / covered, (double) agreed / counted, (double) covered / counted);
    }
  }

  /**
   * Scores {@code text}.
   *
   * @throws InputException if the text has no token to predict
   */
  public Result score(String text, Progress progress) {
    return score(List.of(text), progress);
  }

  /**
   * Scores documents together: every token that is predicted counts the same.
   *
   * @throws InputException if they have no token to predict
   */
  public Result score(List<String> documents, Progress progress) {
    List<int[]> encoded = documents.stream().map(model.tokenizer()::encode).toList();
    long all = encoded.stream().mapToLong(ids -> ids.length).sum();
    if (encoded.stream().allMatch(ids -> ids.length < 2)) {
      throw new InputException(
          "the text has " + all + " tokens; at least 2 are needed to predict one");
    }
    Map<String, Sums> sums = new LinkedHashMap<>();
    exits.depths().forEach(d -> sums.put(String.valueOf(d), new Sums()));
    sums.put(ExitKeys.FINAL, new Sums());
    exits.lookahead().ifPresent(l -> sums.put(ExitKeys.LOOKAHEAD, new Sums()));
    long counted = 0;
    long read = 0;
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(device.stepwise(), workspace);
      for (int[] ids : encoded) {
        for (int[] window : windows(ids)) {
          if (window.length > 1) {
            NoGrad.run(() -> add(ops, window, sums));
            workspace.reset();
            counted += window.length - 1;
          }
          read += window.length;
          progress.read(read, all);
        }
      }
    }
    long n = counted;
    SequencedMap<String, Score> heads = new LinkedHashMap<>();
    sums.forEach((head, s) -> heads.put(head, s.score()));
    long bytes = documents.stream().mapToLong(d -> d.getBytes(StandardCharsets.UTF_8).length).sum();
    return new Result(n, bytes, heads);
  }

  private List<int[]> windows(int[] ids) {
    int context = model.config().decoder().context();
    List<int[]> windows = new ArrayList<>();
    for (int from = 0; from < ids.length; from += context) {
      windows.add(Arrays.copyOfRange(ids, from, Math.min(ids.length, from + context)));
    }
    return windows;
  }

  private void add(Ops ops, int[] window, Map<String, Sums> sums) {
    int count = window.length - 1;
    int[] inputs = Arrays.copyOf(window, count);
    Tensor targets =
        Tensor.ids(
            ops.workspace(), Shape.of(1, count), Arrays.copyOfRange(window, 1, window.length));
    TappedStates tapped = TappedStates.of(model, exits, ops, inputs);
    int[] best =
        head(
            ops,
            model.decoder().logits(ops, tapped.last()),
            targets,
            Optional.empty(),
            sums.get(ExitKeys.FINAL),
            null);
    for (Exit e : exits.exits()) {
      try (var _ = ops.workspace().mark()) {
        TappedStates.Tap in = tapped.exits().get(e.depth());
        Sums own = sums.get(String.valueOf(e.depth()));
        head(ops, e.logits(ops, in.x(), in.a()), targets, e.draft(), own, best);
      }
    }
    if (count > 1) {
      exits.lookahead().ifPresent(l -> ahead(ops, l, tapped, window, sums, best));
    }
  }

  /** The lookahead exit: at position t it predicts what the final layer predicts at t + 1. */
  private static void ahead(
      Ops ops,
      Lookahead exit,
      TappedStates tapped,
      int[] window,
      Map<String, Sums> sums,
      int[] best) {
    int count = window.length - 2;
    Shape shape = Shape.of(1, count);
    try (var _ = ops.workspace().mark()) {
      Tensor next = Tensor.ids(ops.workspace(), shape, Arrays.copyOfRange(window, 1, count + 1));
      Tensor targets = Tensor.ids(ops.workspace(), shape, Arrays.copyOfRange(window, 2, count + 2));
      Tensor h =
          exit.join(
              ops, depth -> ops.contiguous(ops.slice(tapped.exits().get(depth).x(), 1, 0, count)));
      Tensor logits = exit.logits(ops, exit.states(ops, exit.input(ops, h, next, 0)));
      int[] later = Arrays.copyOfRange(best, 1, count + 1);
      head(ops, logits, targets, exit.draft(), sums.get(ExitKeys.LOOKAHEAD), later);
    }
  }

  /**
   * Adds one head's losses; {@code best} are the final layer's choices, null for that head itself.
   * Returns this head's choices.
   */
  private static int[] head(
      Ops ops,
      Tensor logits,
      Tensor targets,
      Optional<DraftVocabulary> draft,
      Sums sums,
      int[] best) {
    Tensor covered = draft.map(d -> d.indices(targets, ops.workspace())).orElse(targets);
    int[] choices = TopTokens.of(ops, logits).ids();
    double nll = ops.sum(ops.crossEntropy(logits, covered)).item();
    if (!Double.isFinite(nll)) {
      throw new InputException(
          "a loss is "
              + nll
              + ": a weight in the model's file is not finite, or training diverged; --dtype f32 looks through all weights and names the tensor");
    }
    sums.nll += nll;
    for (int i = 0; i < choices.length; i++) {
      if (draft.isPresent()) {
        choices[i] = draft.get().id(choices[i]);
      }
      if (best == null || best[i] == choices[i]) {
        sums.agreed++;
      }
      if (covered.span().getInt(i) >= 0) {
        sums.covered++;
      }
    }
    sums.counted += choices.length;
    return choices;
  }
}

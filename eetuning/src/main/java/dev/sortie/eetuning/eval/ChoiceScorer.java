package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.eval.task.TaskItem;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.tensor.device.Device;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Multiple choice by log-likelihood, for the final layer and each exit, with the normalisations of
 * lm-evaluation-harness: the sum itself ({@code acc}), over the characters of the choice ({@code
 * acc_norm}), over its UTF-8 bytes ({@code acc_bytes}). The first of equals is taken.
 *
 * @param model backbone
 * @param exits its exits, maybe none
 * @param device where to compute
 */
public record ChoiceScorer(LanguageModel model, Exits exits, Device device) {

  /**
   * What one head makes of one item, or a mean over items.
   *
   * @param acc 1 if the right choice has the highest log-likelihood
   * @param accNorm the same for each character
   * @param accBytes the same for each byte
   */
  public record Accuracy(double acc, double accNorm, double accBytes) {
    /** The mean over items. */
    public static Accuracy mean(List<Accuracy> items) {
      return new Accuracy(
          items.stream().mapToDouble(Accuracy::acc).average().orElseThrow(),
          items.stream().mapToDouble(Accuracy::accNorm).average().orElseThrow(),
          items.stream().mapToDouble(Accuracy::accBytes).average().orElseThrow());
    }
  }

  /** A context and its continuation, in tokens. */
  public record Pair(int[] ids, int given) {}

  /** The accuracy of each head: exits by depth, shallow first, then {@code final}. */
  public SequencedMap<String, Accuracy> score(TaskItem.Choice item) {
    SequencedMap<String, double[]> sums = new LinkedHashMap<>();
    exits.depths().forEach(d -> sums.put(d.toString(), new double[item.choices().size()]));
    sums.put("final", new double[item.choices().size()]);
    for (int c = 0; c < item.choices().size(); c++) {
      Pair p = pair(item, item.choices().get(c));
      TokenReadings r = TokenReadings.of(model, exits, device, p.ids(), p.given());
      for (int e = 0; e < r.depths().size(); e++) {
        sums.get(r.depths().get(e).toString())[c] = likelihood(r.exits().get(e));
      }
      sums.get("final")[c] = likelihood(r.last());
    }
    SequencedMap<String, Accuracy> scores = new LinkedHashMap<>();
    sums.forEach((head, sum) -> scores.put(head, accuracy(item, sum)));
    return scores;
  }

  private static double likelihood(TokenReadings.Head head) {
    return -Arrays.stream(head.nll()).sum();
  }

  /** The accuracy by the log-likelihoods of the choices. */
  public static Accuracy accuracy(TaskItem.Choice item, double[] sums) {
    double[] characters = new double[sums.length];
    double[] bytes = new double[sums.length];
    for (int c = 0; c < sums.length; c++) {
      String choice = item.choices().get(c);
      characters[c] = sums[c] / choice.codePointCount(0, choice.length());
      bytes[c] = sums[c] / choice.getBytes(StandardCharsets.UTF_8).length;
    }
    int right = item.answer();
    return new Accuracy(
        best(sums) == right ? 1 : 0,
        best(characters) == right ? 1 : 0,
        best(bytes) == right ? 1 : 0);
  }

  private static int best(double[] x) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      best = x[i] > x[best] ? i : best;
    }
    return best;
  }

  /**
   * The context and a choice as tokens, as the harness makes them: spaces at the end of the context
   * go to the choice, both are encoded as one text, and what is longer than the context's own
   * encoding is the choice. Of what does not fit the end is kept.
   */
  public Pair pair(TaskItem.Choice item, String choice) {
    String context = item.context().stripTrailing();
    String rest = item.context().substring(context.length()) + item.delimiter() + choice;
    int[] whole = model.tokenizer().encode(context + rest, EncodeOptions.DEFAULT);
    int given = model.tokenizer().encode(context, EncodeOptions.DEFAULT).length;
    if (given < 1 || given >= whole.length) {
      throw new InputException(
          "item %s of task %s: %d of %d tokens belong to the context, and both the context and the choice need at least one; lengthen the shorter one"
              .formatted(item.id(), item.task(), given, whole.length));
    }
    int drop = Math.max(0, whole.length - (model.config().decoder().context() + 1));
    if (given - drop < 1) {
      throw new InputException(
          "item %s of task %s: a choice of %d tokens does not fit into the model's context of %d"
              .formatted(
                  item.id(),
                  item.task(),
                  whole.length - given,
                  model.config().decoder().context()));
    }
    return new Pair(Arrays.copyOfRange(whole, drop, whole.length), given - drop);
  }
}

package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.eval.task.TaskItem;
import dev.sortie.eetuning.eval.task.TextMetrics;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Quality of a model and its exits: multiple choice for each head, and answers of each way of
 * decoding with their speed compared with full depth.
 *
 * @param model backbone
 * @param exits its exits, maybe none
 * @param device where to compute
 */
public record Evaluation(LanguageModel model, Exits exits, Device device) {

  /** Accuracy by task and head; each item counts the same. */
  public SequencedMap<String, SequencedMap<String, ChoiceScorer.Accuracy>> choices(
      List<TaskItem.Choice> items, PairedRuns.Progress progress) {
    SequencedMap<String, SequencedMap<String, List<ChoiceScorer.Accuracy>>> all =
        new LinkedHashMap<>();
    ChoiceScorer scorer = new ChoiceScorer(model, exits, device);
    long done = 0;
    for (TaskItem.Choice item : items) {
      var heads = all.computeIfAbsent(item.task(), t -> new LinkedHashMap<>());
      scorer
          .score(item)
          .forEach((head, a) -> heads.computeIfAbsent(head, h -> new ArrayList<>()).add(a));
      progress.done(++done, item.task());
    }
    SequencedMap<String, SequencedMap<String, ChoiceScorer.Accuracy>> means = new LinkedHashMap<>();
    all.forEach(
        (task, heads) -> {
          SequencedMap<String, ChoiceScorer.Accuracy> byHead = new LinkedHashMap<>();
          heads.forEach((head, list) -> byHead.put(head, ChoiceScorer.Accuracy.mean(list)));
          means.put(task, byHead);
        });
    return means;
  }

  /**
   * The comparison of ways of decoding on these prompts, greedy.
   *
   * @param variants ways, full depth first
   */
  public PairedRuns paired(
      List<DecodingVariant> variants, List<TaskItem.Answer> items, int rounds) {
    int context = model.config().decoder().context();
    List<PairedRuns.Item> prompts = new ArrayList<>();
    for (TaskItem.Answer a : items) {
      int[] ids = model.tokenizer().encode(a.prompt());
      if (ids.length == 0 || (long) ids.length + a.maxTokens() > context) {
        throw new InputException(
            "item %s of task %s: a prompt of %d tokens with %d tokens of answer does not fit into the model's context of %d"
                .formatted(a.id(), a.task(), ids.length, a.maxTokens(), context));
      }
      prompts.add(
          new PairedRuns.Item(
              ids, new GenerateOptions(a.maxTokens(), SamplingOptions.GREEDY, a.stop(), false)));
    }
    return new PairedRuns(model, variants.getFirst(), variants, prompts, rounds);
  }

  /**
   * What came out of {@link #paired} for these items.
   *
   * @param table costs, for the prediction
   */
  public List<EvalResults.Setting> settings(
      List<PairedRuns.Outcome> outcomes, List<TaskItem.Answer> items, CostTable table) {
    for (PairedRuns.Outcome o : outcomes) {
      if (o.timed().isEmpty()) {
        throw new InputException(
            "no answer of "
                + o.variant().strategy()
                + " has more than one token, so there is no speed to measure; give other prompts or"
                + " more --tokens");
      }
    }
    return outcomes.stream()
        .map(
            o ->
                new EvalResults.Setting(
                    Sweep.point(o, model, device), predicted(o, table), tasks(o, items)))
        .toList();
  }

  private static SequencedMap<String, TextMetrics> tasks(
      PairedRuns.Outcome outcome, List<TaskItem.Answer> items) {
    SequencedMap<String, List<TextMetrics>> byTask = new LinkedHashMap<>();
    for (int i = 0; i < items.size(); i++) {
      TaskItem.Answer item = items.get(i);
      if (!item.references().isEmpty()) {
        byTask
            .computeIfAbsent(item.task(), t -> new ArrayList<>())
            .add(
                TextMetrics.of(
                    outcome.firstRound().get(i).generation().text().strip(), item.references()));
      }
    }
    SequencedMap<String, TextMetrics> means = new LinkedHashMap<>();
    byTask.forEach((task, list) -> means.put(task, TextMetrics.mean(list)));
    return means;
  }

  /**
   * Tokens per second by the cost model, from where tokens left and what was drafted; the median of
   * the pairs, as for what is measured.
   */
  private static double predicted(PairedRuns.Outcome outcome, CostTable table) {
    PredictedSpeed prediction = new PredictedSpeed(table);
    return Median.of(
        outcome.timed().stream()
            .map(PairedRuns.Pair::decoded)
            .mapToDouble(
                d ->
                    (d.generation().tokens().size() - 1)
                        / prediction.seconds(outcome.variant(), d)));
  }
}

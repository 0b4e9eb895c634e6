package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.eval.task.TextMetrics;
import dev.sortie.eetuning.host.Machine;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * All that an evaluation found out.
 *
 * @param model name of the model
 * @param layers backbone layers
 * @param run how it was run
 * @param machine where
 * @param text scores of texts, if there were texts
 * @param oracle the depths that a text's tokens need, if somebody asked
 * @param sets the layers that its tokens need if any may be left out, if somebody asked
 * @param choices accuracy by task and head
 * @param settings one for each way of decoding, first full depth, compared with itself; empty
 *     without prompts
 */
public record EvalResults(
    String model,
    int layers,
    Run run,
    Machine machine,
    Optional<TextScorer.Result> text,
    Optional<DepthOracle.Result> oracle,
    Optional<LayerSetOracle.Result> sets,
    SequencedMap<String, SequencedMap<String, ChoiceScorer.Accuracy>> choices,
    List<Setting> settings) {

  /**
   * How it was run.
   *
   * @param command the command line
   * @param commit of the sources
   * @param dtype in which the layers hold their matrices
   * @param arithmetic with weights in blocks, by its word
   * @param threads that computed
   */
  public record Run(String command, String commit, String dtype, String arithmetic, int threads) {}

  /**
   * One way of decoding.
   *
   * @param point speed, agreement, depth
   * @param predicted tokens per second by the cost model
   * @param tasks metrics of the answers by task
   */
  public record Setting(
      SweepPoint point, double predicted, SequencedMap<String, TextMetrics> tasks) {}

  public EvalResults {
    ResultChecks.text("model", model);
    ResultChecks.atLeast("layers", layers, 1);
    choices = new LinkedHashMap<>(choices);
    settings = List.copyOf(settings);
  }

  /** How far speed-ups may be off, from the settings that change nothing. */
  public MeasurementError error() {
    return MeasurementError.of(settings.stream().map(Setting::point).toList());
  }

  /** Names of the tasks whose answers were scored. */
  public List<String> tasks() {
    return settings.isEmpty() ? List.of() : List.copyOf(settings.getFirst().tasks().keySet());
  }
}

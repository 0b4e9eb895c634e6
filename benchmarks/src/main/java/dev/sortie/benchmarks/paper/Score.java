package dev.sortie.benchmarks.paper;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * How well a head predicts the held-out text.
 *
 * @param nll nats per token
 * @param agreement share of tokens at which it predicts what the final layer predicts
 */
record Score(double nll, double agreement) {

  /** Scores of a run of {@code score} by exit. */
  static SequencedMap<String, Score> of(Figures figures, String run) {
    SequencedMap<String, Score> scores = new LinkedHashMap<>();
    for (JsonObject head : figures.of(run).getObjects("heads")) {
      scores.put(
          String.valueOf(head.fields().get("exit")),
          new Score(head.getDouble("nll", 0, 1e6), head.getDouble("agreement", 0, 1)));
    }
    return scores;
  }

  /** Both, for a cell of a table. */
  String cell() {
    return NumberText.fixed(nll, 3) + ", " + percent();
  }

  String percent() {
    return NumberText.fixed(100 * agreement, 1) + " %";
  }
}

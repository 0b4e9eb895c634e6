package dev.sortie.eetuning.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Losses over a run: per name the loss of every step done, and the validations. */
public final class History {
  private final SequencedMap<String, List<Double>> losses = new LinkedHashMap<>();
  private final SequencedMap<Integer, Map<String, Double>> validations = new LinkedHashMap<>();

  /** An empty history of these names. */
  public History(List<String> names) {
    names.forEach(n -> losses.put(n, new ArrayList<>()));
  }

  void add(Map<String, Double> step) {
    losses.forEach((name, list) -> list.add(step.get(name)));
  }

  void addValidation(int steps, Map<String, Double> values) {
    validations.put(steps, new LinkedHashMap<>(values));
  }

  /** Losses by name; element {@code i} is that of step {@code i}. */
  public SequencedMap<String, List<Double>> losses() {
    return losses;
  }

  /** Validation losses by number of steps done. */
  public SequencedMap<Integer, Map<String, Double>> validations() {
    return validations;
  }

  /** Steps done. */
  public int steps() {
    return losses.firstEntry().getValue().size();
  }

  /** Mean of the last {@code count} losses of each name. */
  public SequencedMap<String, Double> recent(int count) {
    SequencedMap<String, Double> mean = new LinkedHashMap<>();
    losses.forEach(
        (name, list) ->
            mean.put(
                name,
                list.subList(Math.max(0, list.size() - count), list.size()).stream()
                    .mapToDouble(Double::doubleValue)
                    .average()
                    .orElse(Double.NaN)));
    return mean;
  }

  /** The last validation; empty if there was none. */
  public Map<String, Double> lastValidation() {
    return validations.isEmpty() ? Map.of() : validations.lastEntry().getValue();
  }
}

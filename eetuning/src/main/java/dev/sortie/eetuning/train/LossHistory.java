package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Losses over a run: per name the loss of every step done, and the validations. */
public final class LossHistory {
  private static final String LOSSES = "losses";
  private static final String VALIDATIONS = "validations";

  private final SequencedMap<String, List<Double>> losses = new LinkedHashMap<>();
  private final SequencedMap<Integer, Map<String, Double>> validations = new LinkedHashMap<>();

  /** An empty history of these names. */
  public LossHistory(List<String> names) {
    names.forEach(n -> losses.put(n, new ArrayList<>()));
  }

  /**
   * From what {@link #describe} says.
   *
   * @param steps done
   * @throws InputException if it does not have a number for each step and name, or a validation
   *     that such a run can have made
   */
  public static LossHistory read(JsonObject description, List<String> names, int steps) {
    LossHistory history = new LossHistory(names);
    JsonObject losses = description.getObject(LOSSES);
    for (String name : names) {
      List<?> list = losses.getList(name);
      if (list.size() != steps || !list.stream().allMatch(Number.class::isInstance)) {
        throw losses.error(name, steps + " numbers, one for each step");
      }
      list.forEach(loss -> history.losses.get(name).add(((Number) loss).doubleValue()));
    }
    JsonObject validations = description.getObject(VALIDATIONS);
    for (String step : validations.fields().keySet()) {
      if (!step.matches("[1-9]\\d{0,8}") || Integer.parseInt(step) > steps) {
        throw validations.error(step, "a name that is a step from 1 to " + steps);
      }
      JsonObject v = validations.getObject(step);
      Map<String, Double> values = new LinkedHashMap<>();
      for (String name : v.fields().keySet()) {
        values.put(name, v.getDouble(name, -Double.MAX_VALUE, Double.MAX_VALUE));
      }
      history.addValidation(Integer.parseInt(step), values);
    }
    return history;
  }

  /** The names of the losses that a description has. */
  public static List<String> names(JsonObject description) {
    return List.copyOf(description.getObject(LOSSES).fields().keySet());
  }

  /** A copy for a file. */
  public Map<String, Object> describe() {
    Map<String, Object> copied = new LinkedHashMap<>();
    losses.forEach((name, list) -> copied.put(name, List.copyOf(list)));
    Map<String, Object> named = new LinkedHashMap<>();
    validations.forEach((step, v) -> named.put(String.valueOf(step), v));
    Map<String, Object> description = new LinkedHashMap<>();
    description.put(LOSSES, copied);
    description.put(VALIDATIONS, named);
    return description;
  }

  public void add(Map<String, Double> step) {
    losses.forEach((name, list) -> list.add(step.get(name)));
  }

  public void addValidation(int steps, Map<String, Double> values) {
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

package dev.sortie.eetuning.exit;

import dev.sortie.nn.Weights;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What was fitted to an exit after it was tuned. In the exits file:
 *
 * <pre>
 * "gates": {"probe": {"tokens": 8000, "error": 0.1, "base_error": 0.3}, "coverage": {…}}
 * </pre>
 *
 * @param probe from the hidden state at the exit's depth, before anything of the exit is computed:
 *     the probability that the exit agrees with full depth, so that evaluating it is worth while
 * @param coverage from what a draft head reads: the probability that full depth takes a token that
 *     the head covers. The head's own probabilities are given that it does, so the product is the
 *     probability among all tokens
 */
public record Gates(Optional<Gate> probe, Optional<Gate> coverage) {
  /** None. */
  public static final Gates NONE = new Gates(Optional.empty(), Optional.empty());

  static final String FIELD = "gates";
  private static final String PROBE = "probe";
  private static final String COVERAGE = "coverage";

  Map<String, Object> write() {
    Map<String, Object> all = new LinkedHashMap<>();
    probe.ifPresent(g -> all.put(PROBE, report(g.report())));
    coverage.ifPresent(g -> all.put(COVERAGE, report(g.report())));
    return all;
  }

  private static Map<String, Object> report(Gate.Report r) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("tokens", r.tokens());
    one.put("error", r.error());
    one.put("base_error", r.baseError());
    return one;
  }

  Map<String, Tensor> tensors() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    probe.ifPresent(g -> put(all, PROBE, g));
    coverage.ifPresent(g -> put(all, COVERAGE, g));
    return all;
  }

  private static void put(Map<String, Tensor> all, String name, Gate gate) {
    all.put(name + ".weight", gate.weight());
    all.put(name + ".bias", gate.bias());
  }

  /** The gates that an exit's description names; their weights are those of the exit. */
  static Gates read(JsonObject exit, Weights weights, DecoderConfig config) {
    Optional<JsonObject> gates = exit.optional(FIELD, exit::getObject);
    if (gates.isEmpty()) {
      return Gates.NONE;
    }
    gates.get().refuseUnknown(Set.of(PROBE, COVERAGE));
    return new Gates(
        gate(gates.get(), PROBE, weights, config), gate(gates.get(), COVERAGE, weights, config));
  }

  private static Optional<Gate> gate(
      JsonObject gates, String name, Weights weights, DecoderConfig c) {
    return gates
        .optional(name, gates::getObject)
        .map(
            json ->
                new Gate(
                    weights.get(name + ".weight", Shape.of(c.hidden()), Weights.Role.NORM),
                    weights.get(name + ".bias", Shape.of(1), Weights.Role.BIAS),
                    c.normEps(),
                    new Gate.Report(
                        json.getLong("tokens", 1, Long.MAX_VALUE),
                        json.getDouble("error", 0, 1),
                        json.getDouble("base_error", 0, 1))));
  }
}

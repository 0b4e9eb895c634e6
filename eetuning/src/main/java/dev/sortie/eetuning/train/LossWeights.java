package dev.sortie.eetuning.train;

import dev.sortie.nn.UsageException;
import dev.sortie.nn.optim.Schedule.Decay;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * How much the losses of exits count in full training, in addition to the final layer's, which
 * counts once: {@code L = L_final + Σ w_i L_i} (EE-LLM, arXiv 2312.04916). The weights may begin
 * smaller and grow, or begin larger and shrink.
 *
 * @param weights by depth, in the end
 * @param start what they are multiplied with in the first step; 1: they are constant
 * @param steps until they have their value
 * @param ramp the way there, a straight line or half a cosine
 */
public record LossWeights(Map<Integer, Double> weights, double start, int steps, Decay ramp) {

  public LossWeights {
    weights = Map.copyOf(weights);
    check(weights);
    if (!(start >= 0) || Double.isInfinite(start)) {
      throw new UsageException("--exit-weight-start " + start + " must be 0 or more");
    }
    if (steps < 0) {
      throw new UsageException("--exit-weight-steps " + steps + " must be 0 or more");
    }
    if (steps == 0 && start != 1) {
      throw new UsageException(
          "--exit-weight-start %s needs --exit-weight-steps: how many steps it takes to 1"
              .formatted(start));
    }
    if (ramp == Decay.CONSTANT) {
      throw new UsageException("--exit-weight-ramp constant: take linear or cosine");
    }
  }

  /** Refuses weights with which nothing can be learned. */
  public static void check(Map<Integer, Double> weights) {
    weights.forEach(
        (depth, w) -> {
          if (!(w > 0) || Double.isInfinite(w)) {
            throw new UsageException(
                "--exit-weight " + depth + "=" + w + " must be positive and finite");
          }
        });
  }

  /** The weight of an exit in a step, counted from 0. */
  public double at(int depth, int step) {
    double to = weights.get(depth);
    if (step >= steps) {
      return to;
    }
    double done = (double) step / steps;
    double way = ramp == Decay.LINEAR ? done : 0.5 * (1 - StrictMath.cos(Math.PI * done));
    return to * (start + (1 - start) * way);
  }

  /** For checkpoints. */
  public Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    Map<String, Object> all = new TreeMap<>();
    weights.forEach((d, w) -> all.put(String.valueOf(d), w));
    m.put("exit_weights", all);
    m.put("exit_weight_start", start);
    m.put("exit_weight_steps", steps);
    m.put("exit_weight_ramp", ramp.name());
    return m;
  }
}

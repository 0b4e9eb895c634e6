package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.LossWeights;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.optim.Schedule.Decay;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Exits that are trained together with the backbone. A head that is the backbone's is trained by
 * all of them.
 *
 * @param specs shallow first, one at a depth, with heads over the whole vocabulary
 * @param weights of their losses
 */
public record PretrainExits(List<ExitSpec> specs, LossWeights weights) {
  /** No exits. */
  public static final PretrainExits NONE =
      new PretrainExits(List.of(), new LossWeights(Map.of(), 1, 0, Decay.LINEAR));

  public PretrainExits {
    specs = specs.stream().sorted(Comparator.comparingInt(ExitSpec::depth)).toList();
    for (int i = 0; i < specs.size(); i++) {
      ExitSpec s = specs.get(i);
      if (i > 0 && specs.get(i - 1).depth() == s.depth()) {
        throw new UsageException(
            "two exits stand at depth " + s.depth() + "; a depth has one exit at most");
      }
      if (s.hasDraftHead()) {
        throw new InputException(
            "the exit at depth %d has a head over %d tokens; full training takes whole heads"
                .formatted(s.depth(), s.draftTokens()));
      }
    }
    List<Integer> depths = specs.stream().map(ExitSpec::depth).toList();
    Set<Integer> weighted = weights.weights().keySet();
    List<Integer> others = weighted.stream().filter(d -> !depths.contains(d)).sorted().toList();
    if (!others.isEmpty()) {
      throw new UsageException(
          "--exit-weight names depths %s, which have no exit; the exits stand at %s"
              .formatted(others, depths));
    }
    if (!weighted.containsAll(depths)) {
      throw new InputException(
          "the exits stand at %s, but only those at %s have a weight"
              .formatted(depths, weighted.stream().sorted().toList()));
    }
  }

  /** Exits of one kind, with one weight but for those that {@code weights} names. */
  public static PretrainExits of(
      List<ExitSpec> specs,
      Map<Integer, Double> weights,
      double usual,
      double start,
      int steps,
      Decay ramp) {
    Map<Integer, Double> all = new HashMap<>(weights);
    specs.forEach(s -> all.putIfAbsent(s.depth(), usual));
    return new PretrainExits(specs, new LossWeights(all, start, steps, ramp));
  }

  /** For checkpoints; nothing where there are no exits. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    if (!specs.isEmpty()) {
      m.put(
          "exits",
          specs.stream()
              .map(
                  s ->
                      "%d %s %s"
                          .formatted(
                              s.depth(),
                              s.architecture().word(),
                              s.ownHead() ? "own head" : "backbone's head"))
              .toList());
      m.putAll(weights.describe());
    }
    return m;
  }
}

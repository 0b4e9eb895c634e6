package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.policy.ExitPolicies;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The object {@code sortie} of a request: how deep tokens go, and what is told of them.
 *
 * @param policy when to leave at an exit
 * @param maxPending deficit tokens at most
 * @param trace whether the answer tells of each token where it left and how sure the exit was
 */
record DecodingFields(ExitPolicy policy, int maxPending, boolean trace) {
  private static final String FULL = "full";
  private static final String EARLY = "early-exit";

  static DecodingFields of(RequestFields request, ServedModel served) {
    Optional<RequestFields> given = request.fields("sortie");
    if (given.isEmpty()) {
      return new DecodingFields(served.policy(), EarlyExit.MAX_PENDING, false);
    }
    RequestFields f = given.get();
    try {
      return new DecodingFields(
          policy(f, served),
          f.integer("max_pending", 0, EarlyExit.MAX_PENDING).orElse(EarlyExit.MAX_PENDING),
          f.flag("trace"));
    } catch (InputException e) {
      throw ApiError.invalid("sortie", "sortie: " + e.getMessage());
    }
  }

  private static ExitPolicy policy(RequestFields f, ServedModel served) {
    OptionalDouble threshold = f.number("threshold", 0, 1);
    Optional<JsonObject> thresholds = f.object("thresholds");
    List<Integer> depths = depths(f, served);
    Optional<String> word = f.string("policy");
    int patience = f.integer("patience", 1, 1000).orElse(2);
    boolean asks =
        threshold.isPresent() || thresholds.isPresent() || word.isPresent() || f.has("exits");
    Optional<String> strategy = f.string("strategy");
    if (strategy.isPresent() && !List.of(FULL, EARLY).contains(strategy.get())) {
      throw f.wrong("strategy", FULL + " or " + EARLY);
    }
    if (strategy.filter(FULL::equals).isPresent()) {
      ignore(f, "threshold", "thresholds", "exits", "policy", "patience", "max_pending");
      return new MaxProbability(1);
    }
    if ((asks || strategy.isPresent()) && served.exits().exits().isEmpty()) {
      throw ApiError.unsupported(
          "sortie",
          "sortie: this server has no exits, so all texts go to full depth; start it with --exits"
              + " DIR");
    }
    if (word.filter(ExitPolicies.AGREEMENT::equals).isEmpty()) {
      ignore(f, "patience");
    }
    if (!asks) {
      return strategy.isPresent() && served.policy().never()
          ? new MaxProbability(ServedModel.THRESHOLD)
          : served.policy();
    }
    if (thresholds.isPresent()) {
      if (threshold.isPresent() || word.isPresent() || f.has("exits")) {
        throw f.wrong("thresholds", "no threshold, policy or exits with it");
      }
      return byDepth(f, thresholds.get(), served);
    }
    double bound = threshold.orElse(ServedModel.THRESHOLD);
    if (f.has("exits")) {
      if (word.isPresent()) {
        throw f.wrong("exits", "no policy with it");
      }
      SequencedMap<Integer, Double> each = new TreeMap<>();
      depths.forEach(depth -> each.put(depth, bound));
      return new ExitThresholds(each);
    }
    return ExitPolicies.of(word.orElse(ExitPolicies.PROBABILITY), bound, patience, 0.5);
  }

  private static void ignore(RequestFields f, String... names) {
    for (String name : names) {
      if (f.has(name)) {
        f.ignore("sortie." + name);
      }
    }
  }

  private static List<Integer> depths(RequestFields f, ServedModel served) {
    if (!(f.raw("exits") instanceof List<?> list)) {
      if (f.has("exits")) {
        throw f.wrong("exits", "a list of depths");
      }
      return List.of();
    }
    List<Integer> known = served.exits().depths();
    for (Object depth : list) {
      if (!(depth instanceof Long d) || d != d.intValue() || !known.contains(d.intValue())) {
        throw f.wrong("exits", "a list of depths among " + known);
      }
    }
    return list.stream().map(d -> ((Long) d).intValue()).toList();
  }

  private static ExitPolicy byDepth(RequestFields f, JsonObject thresholds, ServedModel served) {
    List<Integer> known = served.exits().depths();
    SequencedMap<Integer, Double> each = new TreeMap<>();
    for (String name : thresholds.fields().keySet()) {
      if (!known.stream().map(String::valueOf).toList().contains(name)) {
        throw f.wrong("thresholds", "thresholds by depth, of exits among " + known);
      }
      each.put(Integer.valueOf(name), thresholds.getDouble(name, 0, 1));
    }
    return new ExitThresholds(each);
  }

  /** The word for the strategy. */
  String strategy() {
    return policy.never() ? FULL : EARLY;
  }
}

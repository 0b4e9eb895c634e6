package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.policy.ExitPolicies;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
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
    return new DecodingFields(
        policy(f, served),
        f.integer("max_pending", 0, EarlyExit.MAX_PENDING).orElse(EarlyExit.MAX_PENDING),
        f.flag("trace"));
  }

  private static ExitPolicy policy(RequestFields f, ServedModel served) {
    OptionalDouble threshold = f.number("threshold", 0, 1);
    boolean thresholds = f.object("thresholds").isPresent();
    List<Integer> depths = depths(f, served);
    Optional<String> word = f.string("policy");
    int patience = f.integer("patience", 1, 1000).orElse(2);
    boolean asks = threshold.isPresent() || thresholds || word.isPresent() || f.has("exits");
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
    String named = word.orElse(ExitPolicies.PROBABILITY);
    checkPolicy(f, named, served);
    if (thresholds) {
      if (threshold.isPresent() || word.isPresent() || f.has("exits")) {
        throw f.wrong("thresholds", "no threshold, policy or exits with it");
      }
      return byDepth(f.fields("thresholds").orElseThrow(), served);
    }
    if (f.has("exits")) {
      if (word.isPresent()) {
        throw f.wrong("exits", "no policy with it");
      }
      SequencedMap<Integer, Double> each = new TreeMap<>();
      depths.forEach(depth -> each.put(depth, threshold.orElseGet(() -> usual(served, depth))));
      return new ExitThresholds(each);
    }
    if (threshold.isEmpty()
        && named.equals(ExitPolicies.PROBABILITY)
        && served.policy() instanceof ExitThresholds each
        && !each.never()) {
      return each;
    }
    return ExitPolicies.of(named, threshold.orElseGet(() -> usual(served)), patience, 0.5);
  }

  private static void checkPolicy(RequestFields f, String named, ServedModel served) {
    if (!ExitPolicies.names().contains(named)) {
      throw f.wrong("policy", "one of " + ExitPolicies.names());
    }
    if (named.equals(ExitPolicies.PROBE)
        && served.exits().exits().stream().anyMatch(exit -> exit.gates().probe().isEmpty())) {
      throw f.wrong("policy", "another: the exits of this server have no probes");
    }
  }

  /** The server's threshold for all exits; where it has none, the general default. */
  private static double usual(ServedModel served) {
    return served.policy() instanceof MaxProbability p && !p.never()
        ? p.threshold()
        : ServedModel.THRESHOLD;
  }

  /** The server's threshold for an exit. */
  private static double usual(ServedModel served, int depth) {
    return served.policy() instanceof ExitThresholds each && each.asked().contains(depth)
        ? each.byDepth().get(depth)
        : usual(served);
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

  private static ExitPolicy byDepth(RequestFields thresholds, ServedModel served) {
    List<Integer> known = served.exits().depths();
    SequencedMap<Integer, Double> each = new TreeMap<>();
    for (String name : thresholds.names()) {
      if (known.stream().map(String::valueOf).noneMatch(name::equals)) {
        throw thresholds.wrong(name, "thresholds by depth, of exits among " + known);
      }
      OptionalDouble threshold = thresholds.number(name, 0, 1);
      threshold.ifPresent(value -> each.put(Integer.valueOf(name), value));
    }
    return new ExitThresholds(each);
  }

  /** The word for the strategy. */
  String strategy() {
    return policy.never() ? FULL : EARLY;
  }
}

package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.json.JsonObject;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a configuration says of rotary embedding. Up to transformers 4 the base has a field of its
 * own, next to {@code rope_scaling}; 5 puts all of it into {@code rope_parameters}.
 *
 * @param theta base of the frequencies
 * @param partial share of a head that is rotated
 * @param scaling change of the frequencies
 */
record HfRope(double theta, double partial, RopeScaling scaling) {
  private static final double BIG = Double.MAX_VALUE;
  private static final String OLD_CONTEXT = "original_max_position_embeddings";

  /** The fields of each kind of scaling. */
  private static final Map<String, Set<String>> KINDS =
      Map.of(
          "default",
          Set.of(),
          "linear",
          Set.of("factor"),
          "llama3",
          Set.of("factor", "low_freq_factor", "high_freq_factor", OLD_CONTEXT),
          "yarn",
          Set.of("factor", "beta_fast", "beta_slow", "attention_factor", OLD_CONTEXT));

  /**
   * Reads the fields of a model with one kind of rotation.
   *
   * @param base the old name of the field that holds theta
   * @param defaultTheta where nothing says it
   * @param share the old name of the field that holds the share of a head
   * @param defaultPartial where nothing says it
   */
  static HfRope read(
      JsonObject json, String base, double defaultTheta, String share, double defaultPartial) {
    Optional<Double> oldTheta = json.optional(base, f -> json.getDouble(f, 0, BIG));
    Optional<Double> oldShare = json.optional(share, f -> json.getDouble(f, 0, 1));
    if (!json.has("rope_parameters")) {
      RopeScaling scaling =
          json.has("rope_scaling")
              ? scaling(json, json.getObject("rope_scaling"))
              : RopeScaling.NONE;
      return new HfRope(oldTheta.orElse(defaultTheta), oldShare.orElse(defaultPartial), scaling);
    }
    if (json.has("rope_scaling")) {
      throw json.error("rope_scaling", "null where rope_parameters is given");
    }
    JsonObject rope = json.getObject("rope_parameters");
    Optional<Double> theta = rope.optional("rope_theta", f -> rope.getDouble(f, 0, BIG));
    if (theta.isPresent() && oldTheta.isPresent() && !theta.equals(oldTheta)) {
      throw json.error(base, "the same as rope_parameters.rope_theta " + theta.get());
    }
    Optional<Double> partial = rope.optional("partial_rotary_factor", f -> rope.getDouble(f, 0, 1));
    return new HfRope(
        theta.or(() -> oldTheta).orElse(defaultTheta),
        partial.or(() -> oldShare).orElse(defaultPartial),
        scaling(json, rope));
  }

  /** The scaling in an object that may also hold the base and the share. */
  static RopeScaling scaling(JsonObject json, JsonObject rope) {
    String field = rope.has("rope_type") || !rope.has("type") ? "rope_type" : "type";
    String kind = rope.has(field) ? rope.getString(field, KINDS.keySet()) : "default";
    Set<String> known = new HashSet<>(KINDS.get(kind));
    known.addAll(List.of("rope_type", "type", "rope_theta", "partial_rotary_factor"));
    rope.refuseUnknown(known);
    try {
      return switch (kind) {
        case "linear" -> new RopeScaling.Linear(rope.getDouble("factor", 0, BIG));
        case "llama3" ->
            new RopeScaling.Llama3(
                rope.getDouble("factor", 0, BIG),
                rope.getDouble("low_freq_factor", 0, BIG),
                rope.getDouble("high_freq_factor", 0, BIG),
                oldContext(json, rope));
        case "yarn" -> yarn(json, rope);
        default -> RopeScaling.NONE;
      };
    } catch (InputException e) {
      throw HfConfigReader.located(json, e);
    }
  }

  /** The fields of {@code rope_scaling}, or null for none. */
  static Map<String, Object> fields(RopeScaling scaling) {
    Map<String, Object> out = new LinkedHashMap<>();
    switch (scaling) {
      case RopeScaling.None _ -> {
        return null;
      }
      case RopeScaling.Linear(double factor) -> {
        out.put("rope_type", "linear");
        out.put("factor", factor);
      }
      case RopeScaling.Llama3 s -> {
        out.put("rope_type", "llama3");
        out.put("factor", s.factor());
        out.put("low_freq_factor", s.low());
        out.put("high_freq_factor", s.high());
        out.put(OLD_CONTEXT, s.original());
      }
      case RopeScaling.Yarn s -> {
        out.put("rope_type", "yarn");
        out.put("factor", s.factor());
        out.put("beta_fast", s.fast());
        out.put("beta_slow", s.slow());
        out.put("attention_factor", s.magnitude());
        out.put(OLD_CONTEXT, s.original());
      }
      case RopeScaling.Divided _ ->
          throw new IllegalArgumentException("config.json has no word for rotary factors");
    }
    return out;
  }

  private static RopeScaling yarn(JsonObject json, JsonObject rope) {
    double factor = rope.getDouble("factor", 1, BIG);
    return new RopeScaling.Yarn(
        factor,
        rope.optional("beta_fast", f -> rope.getDouble(f, 0, BIG)).orElse(32.0),
        rope.optional("beta_slow", f -> rope.getDouble(f, 0, BIG)).orElse(1.0),
        oldContext(json, rope),
        rope.optional("attention_factor", f -> rope.getDouble(f, 0, BIG))
            .orElse(RopeScaling.Yarn.magnitude(factor)));
  }

  private static int oldContext(JsonObject json, JsonObject rope) {
    JsonObject where = rope.has(OLD_CONTEXT) ? rope : json;
    return where.getInt(
        where.has(OLD_CONTEXT) ? OLD_CONTEXT : "max_position_embeddings", 1, Integer.MAX_VALUE);
  }
}

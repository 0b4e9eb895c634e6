package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufMetadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The configuration keys of one architecture, and the shapes of the tensors with them, which say
 * what keys do not.
 *
 * @param metadata all pairs
 * @param architecture the prefix of the keys
 * @param shapes of tensors by name
 * @param factors the divisors of rotary frequencies, if there is a tensor of them, else empty
 */
record GgufFields(
    GgufMetadata metadata,
    String architecture,
    Map<String, List<Long>> shapes,
    List<Float> factors) {

  /** The tensor of divisors of rotary frequencies. */
  static final String FACTORS = "rope_freqs.weight";

  private static final String SCALING = "rope.scaling.type";

  /** The whole key. */
  String key(String name) {
    return architecture + "." + name;
  }

  boolean has(String name) {
    return metadata.has(key(name));
  }

  /** Whether there is a tensor. */
  boolean hasTensor(String name) {
    return shapes.containsKey(name);
  }

  int whole(String name, int low, int high) {
    return metadata.getInt(key(name), low, high);
  }

  int whole(String name, int low, int high, int otherwise) {
    return metadata.getInt(key(name), low, high, otherwise);
  }

  double real(String name, double low, double high, double otherwise) {
    return metadata.getDouble(key(name), low, high, otherwise);
  }

  boolean flag(String name, boolean otherwise) {
    return metadata.getBoolean(key(name), otherwise);
  }

  InputException error(String name, String expected) {
    return metadata.error(key(name), expected);
  }

  /** The window of layers that have one, or none. */
  int window() {
    int window = whole("attention.sliding_window", 0, Integer.MAX_VALUE, 0);
    return window == 0 ? Integer.MAX_VALUE : window;
  }

  /** The change of rotary frequencies; a factor without a type is linear, as in llama.cpp. */
  RopeScaling scaling(int context) {
    double factor = real("rope.scaling.factor", 0, 1e6, 0);
    String type = metadata.getString(key(SCALING), factor == 0 ? "none" : "linear");
    if (!factors.isEmpty()) {
      if (!type.equals("none")) {
        throw error(SCALING, "\"none\" together with the tensor " + FACTORS);
      }
      return new RopeScaling.Divided(factors);
    }
    for (String name : List.of("ext_factor", "attn_factor", "beta_fast", "beta_slow")) {
      if (has("rope.scaling.yarn_" + name)) {
        throw error("rope.scaling.yarn_" + name, "none (its usual value is supported)");
      }
    }
    if (has("rope.scaling.attn_factor")) {
      throw error("rope.scaling.attn_factor", "none (its usual value is supported)");
    }
    return switch (type) {
      case "none" -> RopeScaling.NONE;
      case "linear" -> factor == 1 ? RopeScaling.NONE : new RopeScaling.Linear(factor);
      case "yarn" ->
          new RopeScaling.Yarn(
              factor,
              32,
              1,
              whole("rope.scaling.original_context_length", 1, Integer.MAX_VALUE, context),
              RopeScaling.Yarn.magnitude(factor));
      default -> throw error(SCALING, "\"none\", \"linear\" or \"yarn\"");
    };
  }

  /** Those of a file. */
  static GgufFields of(Gguf file, String architecture) {
    Map<String, List<Long>> shapes = new java.util.HashMap<>();
    file.tensors().forEach((name, info) -> shapes.put(name, info.shape()));
    List<Float> factors = new ArrayList<>();
    if (shapes.containsKey(FACTORS)) {
      var span = file.read(FACTORS);
      for (long j = 0; j < span.length(); j++) {
        factors.add((float) span.get(j));
      }
    }
    return new GgufFields(file.metadata(), architecture, shapes, factors);
  }
}

package dev.sortie.nn.family;

import java.util.List;
import java.util.function.BiConsumer;

/**
 * How GGUF files hold a family. {@link GgufArchitectures} has the table.
 *
 * @param name {@code general.architecture}, and the prefix of keys
 * @param modelType the family, by its {@code model_type}
 * @param interleaved whether the rows of queries and keys lie so that rotary pairs are neighbours
 * @param epsilon the key of what norms add to the mean square or variance
 * @param partialRotary whether a part of a head may stay as it is
 * @param recipe sets the switches that differ from Llama's
 * @param fused rules for the tensors that hold several of the decoder's
 */
record GgufArchitecture(
    String name,
    String modelType,
    boolean interleaved,
    String epsilon,
    boolean partialRotary,
    BiConsumer<GgufFields, SwitchesBuilder> recipe,
    List<NameRule> fused) {
  private static final String RMS = "attention.layer_norm_rms_epsilon";
  private static final String LAYER = "attention.layer_norm_epsilon";

  /** A family with RMSNorm and whole heads rotated, nothing fused. */
  static GgufArchitecture rms(
      String name,
      String modelType,
      boolean interleaved,
      BiConsumer<GgufFields, SwitchesBuilder> recipe) {
    return new GgufArchitecture(name, modelType, interleaved, RMS, false, recipe, List.of());
  }

  /** A family with LayerNorm. */
  static GgufArchitecture layerNorm(
      String name, String modelType, BiConsumer<GgufFields, SwitchesBuilder> recipe) {
    return new GgufArchitecture(name, modelType, false, LAYER, false, recipe, List.of());
  }

  GgufArchitecture withPartialRotary() {
    return new GgufArchitecture(name, modelType, interleaved, epsilon, true, recipe, fused);
  }

  GgufArchitecture withFused(List<NameRule> rules) {
    return new GgufArchitecture(
        name, modelType, interleaved, epsilon, partialRotary, recipe, rules);
  }
}

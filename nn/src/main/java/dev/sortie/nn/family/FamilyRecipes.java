package dev.sortie.nn.family;

import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.DecoderSwitches.Rotation;
import dev.sortie.nn.model.LayerCycle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** What each family's configuration changes in Llama's; defaults are those of transformers. */
final class FamilyRecipes {
  private static final List<String> SILU = List.of("silu");
  private static final List<String> GELU = List.of("gelu", "gelu_new", "gelu_pytorch_tanh");

  private static final double THETA = 10_000;

  /** Of Mistral and Qwen, where the field is missing. */
  private static final OptionalInt USUAL_WINDOW = OptionalInt.of(4096);

  /** Qwen's first layer with a window, where the field is missing. */
  private static final int USUAL_FIRST = 28;

  private FamilyRecipes() {}

  /** Llama without biases, maybe with a window. */
  static DecoderRecipe mistral(DecoderRecipe r) {
    return plain(r, 1e-6).windows(true, USUAL_WINDOW, i -> true);
  }

  static DecoderRecipe phi3(DecoderRecipe r) {
    return plain(r, 1e-5).windows(true, OptionalInt.empty(), i -> true);
  }

  /** Llama without biases; what many families have in common. */
  private static DecoderRecipe plain(DecoderRecipe r, double eps) {
    return plain(r, eps, THETA);
  }

  private static DecoderRecipe plain(DecoderRecipe r, double eps, double theta) {
    return r.activation("hidden_act", true, "silu", SILU)
        .eps("rms_norm_eps", eps)
        .tied(false)
        .wholeRope(theta);
  }

  static DecoderRecipe llama(DecoderRecipe r) {
    boolean attention = r.flag("attention_bias", false);
    if (r.json().has("sliding_window")) {
      throw r.json().error("sliding_window", "null in a model of the llama family");
    }
    return plain(r, 1e-6).biases(attention, attention, r.flag("mlp_bias", false));
  }

  /** Llama, of which layers are used again. */
  static DecoderRecipe zeroToken(DecoderRecipe r) {
    JsonObject json = r.json();
    int most = DecoderConfig.MOST_LAYERS;
    int times = json.getInt("num_cycles", 1, most);
    int executed = new LayerCycle(times, false).executed(r.layers());
    if (r.layers() < 3 || executed > most) {
      throw json.error(
          "num_hidden_layers",
          "from 3 on, and with num_cycles %d not executed as more than %d layers"
              .formatted(times, most));
    }
    return llama(r).cycle(new LayerCycle(times, r.flag("zero_token", true)));
  }

  static DecoderRecipe qwen2(DecoderRecipe r) {
    return qwenWindows(plain(r, 1e-6).biases(true, false, false));
  }

  static DecoderRecipe qwen3(DecoderRecipe r) {
    boolean bias = r.flag("attention_bias", false);
    return qwenWindows(plain(r, 1e-6).biases(bias, bias, false).queryKeyNorm(QueryKeyNorm.HEAD));
  }

  /** A window in the layers from {@code max_window_layers} on. */
  private static DecoderRecipe qwenWindows(DecoderRecipe r) {
    String field = "max_window_layers";
    int first = r.json().has(field) ? r.json().getInt(field, 0, Integer.MAX_VALUE) : USUAL_FIRST;
    return r.windows(false, USUAL_WINDOW, i -> i >= first);
  }

  static DecoderRecipe smolLm3(DecoderRecipe r) {
    boolean bias = r.flag("attention_bias", false);
    int count = r.layers();
    List<Boolean> rotated = new ArrayList<>();
    if (r.json().has("no_rope_layers")) {
      r.json().getInts("no_rope_layers", 0, 1).forEach(one -> rotated.add(one == 1));
    } else {
      int interval = r.json().has("no_rope_layer_interval") ? r.size("no_rope_layer_interval") : 4;
      for (int i = 0; i < count; i++) {
        rotated.add((i + 1) % interval != 0);
      }
    }
    if (rotated.size() != count) {
      throw r.json().error("no_rope_layers", "one entry for each of " + count + " layers");
    }
    return plain(r, 1e-6, 2_000_000)
        .biases(bias, bias, r.flag("mlp_bias", false))
        .tied(true)
        .windows(false, OptionalInt.empty(), i -> !rotated.get(i))
        .unrotated(rotated);
  }

  static DecoderRecipe gemma3(DecoderRecipe r) {
    boolean bias = r.flag("attention_bias", false);
    JsonObject json = r.json();
    int count = r.layers();
    List<Boolean> near = new ArrayList<>();
    if (json.has("layer_types")) {
      r.layerTypes(count).forEach(t -> near.add(t.equals("sliding_attention")));
    } else {
      String field =
          json.has("_sliding_window_pattern")
              ? "_sliding_window_pattern"
              : "sliding_window_pattern";
      int every = json.has(field) ? r.size(field) : 6;
      for (int i = 0; i < count; i++) {
        near.add((i + 1) % every != 0);
      }
    }
    int window = near.contains(true) ? json.getInt("sliding_window", 1, Integer.MAX_VALUE) : 1;
    List<LayerKind> kinds = new ArrayList<>();
    for (boolean one : near) {
      kinds.add(one ? new LayerKind(window, Rotation.LOCAL) : LayerKind.FULL);
    }
    gemma3Rope(r);
    return r.activation(
            "hidden_activation", true, "gelu_pytorch_tanh", List.of("gelu_pytorch_tanh"))
        .eps("rms_norm_eps", 1e-6)
        .tied(true)
        .biases(bias, bias, false)
        .residual(Residual.BOTH_NORMS)
        .queryKeyNorm(QueryKeyNorm.HEAD)
        .embeddingScale((float) Math.sqrt(r.size("hidden_size")))
        .attentionScale(
            1
                / Math.sqrt(
                    json.has("query_pre_attn_scalar")
                        ? json.getDouble("query_pre_attn_scalar", 1e-3, 1e9)
                        : 256))
        .layers(kinds);
  }

  /** Two bases: transformers 5 has them by the kind of layer. */
  private static void gemma3Rope(DecoderRecipe r) {
    JsonObject json = r.json();
    if (!json.has("rope_parameters")) {
      String local = "rope_local_base_freq";
      r.rope(HfRope.read(json, "rope_theta", 1e6, "partial_rotary_factor", 1))
          .localTheta(json.has(local) ? json.getDouble(local, 1, 1e12) : 10_000);
      return;
    }
    JsonObject both = json.getObject("rope_parameters");
    JsonObject full = both.getObject("full_attention");
    JsonObject near = both.getObject("sliding_attention");
    near.getString("rope_type", Set.of("default"));
    r.rope(
            new HfRope(
                full.getDouble("rope_theta", 0, Double.MAX_VALUE), 1, HfRope.scaling(json, full)))
        .localTheta(near.getDouble("rope_theta", 1, 1e12));
  }

  static DecoderRecipe olmo2(DecoderRecipe r) {
    boolean bias = r.flag("attention_bias", false);
    return plain(r, 1e-5)
        .biases(bias, bias, false)
        .residual(Residual.POST_NORM)
        .queryKeyNorm(QueryKeyNorm.PROJECTION);
  }

  static DecoderRecipe gptNeoX(DecoderRecipe r) {
    boolean bias = r.flag("attention_bias", true);
    return r.activation("hidden_act", false, "gelu", GELU)
        .norm(NormKind.LAYER)
        .eps("layer_norm_eps", 1e-5)
        .tied(false)
        .biases(bias, bias, true)
        .residual(r.flag("use_parallel_residual", true) ? Residual.PARALLEL : Residual.PRE_NORM)
        .rope(HfRope.read(r.json(), "rotary_emb_base", 10_000, "rotary_pct", 0.25));
  }

  static DecoderRecipe gpt2(DecoderRecipe r) {
    if (!r.flag("scale_attn_weights", true)) {
      throw r.json().error("scale_attn_weights", "true");
    }
    for (String field : List.of("scale_attn_by_inverse_layer_idx", "add_cross_attention")) {
      if (r.flag(field, false)) {
        throw r.json().error(field, "false");
      }
    }
    int count = r.layers();
    return r.activation("activation_function", false, "gelu_new", GELU)
        .norm(NormKind.LAYER)
        .eps("layer_norm_epsilon", 1e-5)
        .tied(true)
        .biases(true, true, true)
        .learnedPositions()
        .layers(Collections.nCopies(count, new LayerKind(Integer.MAX_VALUE, Rotation.NONE)));
  }
}

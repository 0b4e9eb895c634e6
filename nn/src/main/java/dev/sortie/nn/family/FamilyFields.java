package dev.sortie.nn.family;

import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches;
import dev.sortie.nn.model.DecoderSwitches.Activation;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.DecoderSwitches.Rotation;
import java.util.List;
import java.util.Map;

/**
 * The fields of each family's {@code config.json} apart from sizes, written: the inverse of {@link
 * FamilyRecipes}.
 */
final class FamilyFields {
  private static final int ALL = Integer.MAX_VALUE;

  private FamilyFields() {}

  private static void plain(DecoderConfig d, Map<String, Object> out) {
    out.put("hidden_act", "silu");
    out.put("rms_norm_eps", d.normEps());
    out.put("rope_theta", d.ropeTheta());
  }

  static void llama(DecoderConfig d, Map<String, Object> out) {
    plain(d, out);
    out.put("attention_bias", d.attentionBias());
    out.put("mlp_bias", d.mlpBias());
  }

  static void zeroToken(DecoderConfig d, Map<String, Object> out) {
    llama(d, out);
    out.put("num_cycles", d.switches().cycle().times());
    out.put("zero_token", d.switches().cycle().zeroToken());
  }

  static void attentionBias(DecoderConfig d, Map<String, Object> out) {
    plain(d, out);
    out.put("attention_bias", d.attentionBias());
  }

  /** A window in all layers, or none. */
  static void window(DecoderConfig d, Map<String, Object> out) {
    plain(d, out);
    int window = d.switches().layer(0).window();
    out.put("sliding_window", window == ALL ? null : window);
  }

  static void phi3(DecoderConfig d, Map<String, Object> out) {
    window(d, out);
    out.put("original_max_position_embeddings", d.context());
    out.put("partial_rotary_factor", (double) d.switches().rotary() / d.headSize());
  }

  static void smolLm3(DecoderConfig d, Map<String, Object> out) {
    llama(d, out);
    List<LayerKind> kinds = d.switches().layers();
    out.put(
        "no_rope_layers", kinds.stream().map(k -> k.rotation() == Rotation.NONE ? 0 : 1).toList());
  }

  static void gemma3(DecoderConfig d, Map<String, Object> out) {
    DecoderSwitches s = d.switches();
    out.put("hidden_activation", "gelu_pytorch_tanh");
    out.put("rms_norm_eps", d.normEps());
    out.put("attention_bias", d.attentionBias());
    double scalar = 1 / (s.attentionScale() * s.attentionScale());
    boolean whole = Math.abs(scalar - Math.rint(scalar)) < 1e-9 * scalar;
    out.put("query_pre_attn_scalar", whole ? (Object) Math.round(scalar) : (Object) scalar);
    s.layers().stream()
        .filter(k -> k.rotation() == Rotation.LOCAL)
        .findFirst()
        .ifPresent(k -> out.put("sliding_window", k.window()));
    out.put(
        "layer_types",
        s.layers().stream()
            .map(k -> k.rotation() == Rotation.LOCAL ? "sliding_attention" : "full_attention")
            .toList());
    out.put("rope_theta", d.ropeTheta());
    out.put("rope_local_base_freq", s.localTheta());
  }

  static void gptNeoX(DecoderConfig d, Map<String, Object> out) {
    out.put("hidden_act", d.switches().activation() == Activation.GELU ? "gelu" : "gelu_new");
    out.put("layer_norm_eps", d.normEps());
    out.put("rotary_emb_base", d.ropeTheta());
    out.put("rotary_pct", (double) d.switches().rotary() / d.headSize());
    out.put("use_parallel_residual", d.switches().residual() == Residual.PARALLEL);
    out.put("attention_bias", d.attentionBias());
  }

  static void gpt2(DecoderConfig d, Map<String, Object> out) {
    out.put(
        "activation_function", d.switches().activation() == Activation.GELU ? "gelu" : "gelu_new");
    out.put("layer_norm_epsilon", d.normEps());
  }
}

package dev.sortie.nn.family;

import dev.sortie.nn.family.Packing.Layout;
import dev.sortie.nn.family.Packing.Part;
import java.util.ArrayList;
import java.util.List;

/** Where {@code safetensors} of each family have the decoder's tensors under other names. */
final class FamilyNames {
  private static final String LAYER = "model.layers.#.";

  private FamilyNames() {}

  static List<NameRule> gemma3() {
    return List.of(
        plusOne("model.norm", "model.norm"),
        plusOne(LAYER + "input_layernorm", LAYER + "input_layernorm"),
        plusOne(LAYER + "attention_output_norm", LAYER + "post_attention_layernorm"),
        plusOne(LAYER + "post_attention_layernorm", LAYER + "pre_feedforward_layernorm"),
        plusOne(LAYER + "mlp_output_norm", LAYER + "post_feedforward_layernorm"),
        plusOne(LAYER + "self_attn.q_norm", LAYER + "self_attn.q_norm"),
        plusOne(LAYER + "self_attn.k_norm", LAYER + "self_attn.k_norm"));
  }

  static List<NameRule> olmo2() {
    return List.of(
        NameRule.of(LAYER + "attention_output_norm", LAYER + "post_attention_layernorm"),
        NameRule.of(LAYER + "mlp_output_norm", LAYER + "post_feedforward_layernorm"));
  }

  static List<NameRule> phi3() {
    List<NameRule> rules = new ArrayList<>();
    rules.addAll(fused(Layout.ROWS, LAYER + "self_attn.qkv_proj"));
    String fused = LAYER + "mlp.gate_up_proj";
    rules.add(new NameRule(LAYER + "mlp.gate_proj", fused, new Packing(Layout.ROWS, Part.GATE)));
    rules.add(new NameRule(LAYER + "mlp.up_proj", fused, new Packing(Layout.ROWS, Part.UP)));
    return List.copyOf(rules);
  }

  static List<NameRule> gptNeoX() {
    String layer = "gpt_neox.layers.#.";
    List<NameRule> rules = new ArrayList<>();
    rules.add(NameRule.of("model.embed_tokens", "gpt_neox.embed_in"));
    rules.add(NameRule.of("model.norm", "gpt_neox.final_layer_norm"));
    rules.add(NameRule.of("lm_head", "embed_out"));
    rules.add(NameRule.of(LAYER + "input_layernorm", layer + "input_layernorm"));
    rules.add(NameRule.of(LAYER + "post_attention_layernorm", layer + "post_attention_layernorm"));
    rules.addAll(fused(Layout.ROWS_BY_HEAD, layer + "attention.query_key_value"));
    rules.add(NameRule.of(LAYER + "self_attn.o_proj", layer + "attention.dense"));
    rules.add(NameRule.of(LAYER + "mlp.up_proj", layer + "mlp.dense_h_to_4h"));
    rules.add(NameRule.of(LAYER + "mlp.down_proj", layer + "mlp.dense_4h_to_h"));
    return List.copyOf(rules);
  }

  static List<NameRule> gpt2() {
    String layer = "transformer.h.#.";
    List<NameRule> rules = new ArrayList<>();
    rules.add(NameRule.of("model.embed_tokens", "transformer.wte"));
    rules.add(NameRule.of("model.embed_positions", "transformer.wpe"));
    rules.add(NameRule.of("model.norm", "transformer.ln_f"));
    rules.add(NameRule.of(LAYER + "input_layernorm", layer + "ln_1"));
    rules.add(NameRule.of(LAYER + "post_attention_layernorm", layer + "ln_2"));
    rules.addAll(fused(Layout.COLUMNS, layer + "attn.c_attn"));
    rules.add(transposed(LAYER + "self_attn.o_proj", layer + "attn.c_proj"));
    rules.add(transposed(LAYER + "mlp.up_proj", layer + "mlp.c_fc"));
    rules.add(transposed(LAYER + "mlp.down_proj", layer + "mlp.c_proj"));
    return List.copyOf(rules);
  }

  private static NameRule plusOne(String decoder, String file) {
    return new NameRule(decoder, file, Packing.PLUS_ONE);
  }

  private static NameRule transposed(String decoder, String file) {
    return new NameRule(decoder, file, Packing.TRANSPOSED);
  }

  /** Queries, keys and values in one tensor. */
  private static List<NameRule> fused(Layout layout, String file) {
    String attention = LAYER + "self_attn.";
    return List.of(
        new NameRule(attention + "q_proj", file, new Packing(layout, Part.QUERY)),
        new NameRule(attention + "k_proj", file, new Packing(layout, Part.KEY)),
        new NameRule(attention + "v_proj", file, new Packing(layout, Part.VALUE)));
  }
}

package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.family.Packing.Layout;
import dev.sortie.nn.family.Packing.Part;
import dev.sortie.nn.format.GgufMetadata;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches.Activation;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.DecoderSwitches.Rotation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The table of GGUF architectures; names and meanings are those of llama.cpp. */
final class GgufArchitectures {
  private static final String LAYER = "model.layers.#.";
  private static final int ALL = Integer.MAX_VALUE;

  private static final List<GgufArchitecture> TABLE =
      List.of(
          GgufArchitecture.rms("llama", "llama", true, (f, s) -> {}),
          GgufArchitecture.rms("qwen2", "qwen2", false, (f, s) -> {}),
          GgufArchitecture.rms("qwen3", "qwen3", false, GgufArchitectures::headNorms),
          GgufArchitecture.rms("smollm3", "smollm3", true, GgufArchitectures::smolLm3),
          GgufArchitecture.rms("gemma3", "gemma3_text", false, GgufArchitectures::gemma3),
          GgufArchitecture.rms("phi3", "phi3", false, GgufArchitectures::phi3)
              .withPartialRotary()
              .withFused(Stream.concat(fusedAttention(), fusedMlp()).toList()),
          GgufArchitecture.rms("olmo2", "olmo2", false, GgufArchitectures::olmo2),
          GgufArchitecture.layerNorm("gptneox", "gpt_neox", GgufArchitectures::gptNeoX)
              .withPartialRotary()
              .withFused(fusedAttention().toList()),
          GgufArchitecture.layerNorm("gpt2", "gpt2", GgufArchitectures::gpt2)
              .withFused(fusedAttention().toList()));

  /** Names of tensors that stand alone. */
  private static final List<NameRule> NAMES =
      List.of(
          NameRule.of("model.embed_tokens", "token_embd"),
          NameRule.of("model.embed_positions", "position_embd"),
          NameRule.of("model.norm", "output_norm"),
          NameRule.of("lm_head", "output"),
          NameRule.of(LAYER + "input_layernorm", "blk.#.attn_norm"),
          NameRule.of(LAYER + "self_attn.q_proj", "blk.#.attn_q"),
          NameRule.of(LAYER + "self_attn.k_proj", "blk.#.attn_k"),
          NameRule.of(LAYER + "self_attn.v_proj", "blk.#.attn_v"),
          NameRule.of(LAYER + "self_attn.o_proj", "blk.#.attn_output"),
          NameRule.of(LAYER + "self_attn.q_norm", "blk.#.attn_q_norm"),
          NameRule.of(LAYER + "self_attn.k_norm", "blk.#.attn_k_norm"),
          NameRule.of(LAYER + "attention_output_norm", "blk.#.post_attention_norm"),
          NameRule.of(LAYER + "post_attention_layernorm", "blk.#.ffn_norm"),
          NameRule.of(LAYER + "mlp.gate_proj", "blk.#.ffn_gate"),
          NameRule.of(LAYER + "mlp.up_proj", "blk.#.ffn_up"),
          NameRule.of(LAYER + "mlp.down_proj", "blk.#.ffn_down"),
          NameRule.of(LAYER + "mlp_output_norm", "blk.#.post_ffw_norm"));

  private GgufArchitectures() {}

  /**
   * The architecture of a file.
   *
   * @throws InputException if it is not in the table
   */
  static GgufArchitecture of(GgufMetadata m) {
    String key = "general.architecture";
    String name = m.getString(key);
    return TABLE.stream()
        .filter(a -> a.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                m.error(
                    key,
                    "one of those supported: "
                        + String.join(", ", TABLE.stream().map(GgufArchitecture::name).toList())));
  }

  /** How a family is held, if GGUF files of it are known. */
  static Optional<GgufArchitecture> ofFamily(String modelType) {
    return Families.named(modelType)
        .gguf()
        .map(name -> TABLE.stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow());
  }

  /** All rules of an architecture; where two are for the same tensor, the later one counts. */
  static List<NameRule> rules(GgufArchitecture a) {
    return Stream.concat(NAMES.stream(), a.fused().stream()).toList();
  }

  // ---- switches

  private static void headNorms(GgufFields f, SwitchesBuilder s) {
    s.queryKeyNorm = QueryKeyNorm.HEAD;
  }

  /** Each fourth layer is not rotated; no key says so. */
  private static void smolLm3(GgufFields f, SwitchesBuilder s) {
    List<LayerKind> kinds = new ArrayList<>();
    for (int i = 1; i <= f.whole("block_count", 1, DecoderConfig.MOST_LAYERS); i++) {
      kinds.add(new LayerKind(ALL, i % 4 == 0 ? Rotation.NONE : Rotation.GLOBAL));
    }
    s.layers = kinds;
  }

  /** Each sixth layer sees everything; no key says so. The scale is that of all sizes but 27B. */
  private static void gemma3(GgufFields f, SwitchesBuilder s) {
    int layers = f.whole("block_count", 1, DecoderConfig.MOST_LAYERS);
    int hidden = f.whole("embedding_length", 1, 1 << 20);
    s.residual = Residual.BOTH_NORMS;
    s.queryKeyNorm = QueryKeyNorm.HEAD;
    s.activation = Activation.GELU_TANH;
    s.embeddingScale = (float) Math.sqrt(hidden);
    if (layers == 62) {
      s.attentionScale = Math.sqrt(f.whole("attention.head_count", 1, 1 << 16) / (double) hidden);
    }
    s.localTheta = f.real("rope.freq_base_swa", 1, 1e12, 10_000);
    LayerKind near = new LayerKind(f.window(), Rotation.LOCAL);
    List<LayerKind> kinds = new ArrayList<>();
    for (int i = 1; i <= layers; i++) {
      kinds.add(i % 6 == 0 ? LayerKind.FULL : near);
    }
    s.layers = kinds;
  }

  private static void phi3(GgufFields f, SwitchesBuilder s) {
    if (f.window() != ALL) {
      s.layers =
          Collections.nCopies(
              f.whole("block_count", 1, DecoderConfig.MOST_LAYERS),
              new LayerKind(f.window(), Rotation.GLOBAL));
    }
  }

  private static void olmo2(GgufFields f, SwitchesBuilder s) {
    s.residual = Residual.POST_NORM;
    s.queryKeyNorm = QueryKeyNorm.PROJECTION;
  }

  private static void gptNeoX(GgufFields f, SwitchesBuilder s) {
    s.norm = NormKind.LAYER;
    s.residual = f.flag("use_parallel_residual", true) ? Residual.PARALLEL : Residual.PRE_NORM;
    s.activation = Activation.GELU;
    s.gated = false;
  }

  private static void gpt2(GgufFields f, SwitchesBuilder s) {
    s.norm = NormKind.LAYER;
    s.activation = Activation.GELU_TANH;
    s.gated = false;
    s.learnedPositions = true;
    s.layers =
        Collections.nCopies(
            f.whole("block_count", 1, DecoderConfig.MOST_LAYERS),
            new LayerKind(ALL, Rotation.NONE));
  }

  // ---- fused tensors

  private static Stream<NameRule> fusedAttention() {
    return Stream.of(
        part("self_attn.q_proj", "blk.#.attn_qkv", Part.QUERY),
        part("self_attn.k_proj", "blk.#.attn_qkv", Part.KEY),
        part("self_attn.v_proj", "blk.#.attn_qkv", Part.VALUE));
  }

  private static Stream<NameRule> fusedMlp() {
    return Stream.of(
        part("mlp.gate_proj", "blk.#.ffn_up", Part.GATE),
        part("mlp.up_proj", "blk.#.ffn_up", Part.UP));
  }

  private static NameRule part(String decoder, String file, Part part) {
    return new NameRule(LAYER + decoder, file, new Packing(Layout.ROWS, part));
  }
}

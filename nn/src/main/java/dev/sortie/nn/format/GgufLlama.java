package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The Llama family as GGUF files hold it: the configuration in the {@code llama.*} keys, the
 * tensors under ggml's names. The rows of the query and key projections lie so that rotary pairs
 * are neighbours ({@code ropeInterleaved}), where Hugging Face has them half a head apart; the
 * weights stay as they are and the rotation follows them.
 */
public final class GgufLlama {
  static final String ARCHITECTURE = "llama";
  static final String EMBEDDING = "token_embd.weight";
  static final String HEAD = "output.weight";
  static final double DEFAULT_ROPE_THETA = 10_000;

  /** The longest of published models; rotary tables are made for all of it. */
  static final int MAX_CONTEXT = 1 << 22;

  /**
   * Keys that change the arithmetic in a way that is not supported, with the one value that may be.
   */
  private static final List<String> NO_EFFECT_AT_ZERO =
      List.of(
          "llama.expert_count",
          "llama.expert_used_count",
          "llama.attention.sliding_window",
          "llama.leading_dense_block_count",
          "llama.expert_shared_count");

  private static final List<String> NOT_SUPPORTED =
      List.of(
          "llama.attention.clamp_kqv",
          "llama.attention.max_alibi_bias",
          "llama.attention.scale",
          "llama.attention.temperature_scale",
          "llama.attn_logit_softcapping",
          "llama.final_logit_softcapping",
          "llama.embedding_scale",
          "llama.logit_scale",
          "llama.residual_scale",
          "llama.rope.dimension_sections");

  private GgufLlama() {}

  /**
   * One tensor.
   *
   * @param gguf its name in GGUF files
   * @param hf its name in Hugging Face's checkpoints
   * @param shape its dims, outermost first
   */
  public record Entry(String gguf, String hf, List<Long> shape) {}

  /**
   * The configuration, in the form that a Hugging Face folder gives it.
   *
   * @throws InputException if a value is missing, out of range, or asks for what is not supported
   */
  public static HfConfig config(Gguf file) {
    GgufMetadata m = file.metadata();
    refuseOthers(m);
    int layers = m.getInt("llama.block_count", 1, 4096);
    int hidden = m.getInt("llama.embedding_length", 1, 1 << 20);
    int heads = m.getInt("llama.attention.head_count", 1, 1 << 16);
    int kvHeads = m.getInt("llama.attention.head_count_kv", 1, heads, heads);
    if (heads % kvHeads != 0) {
      throw m.error("llama.attention.head_count_kv", "a divisor of head_count " + heads);
    }
    int headSize = headSize(m, hidden, heads);
    DecoderConfig decoder =
        new DecoderConfig(
            layers,
            hidden,
            heads,
            kvHeads,
            headSize,
            m.getInt("llama.feed_forward_length", 1, 1 << 22),
            vocab(file),
            m.getInt("llama.context_length", 1, MAX_CONTEXT),
            m.getDouble("llama.attention.layer_norm_rms_epsilon", 0, 1),
            m.getDouble("llama.rope.freq_base", 1, 1e12, DEFAULT_ROPE_THETA),
            true,
            file.tensors().containsKey("blk.0.attn_q.bias"),
            file.tensors().containsKey("blk.0.ffn_gate.bias"),
            !file.tensors().containsKey(HEAD));
    return new HfConfig(decoder, special(m, "bos", decoder), eos(m, decoder), Optional.empty());
  }

  /**
   * The weights under the names of Hugging Face's checkpoints. Closing them closes the file.
   *
   * @throws InputException if a tensor is missing, has another shape than the configuration says,
   *     or is not part of the model
   */
  public static WeightSource weights(Gguf file, DecoderConfig config) {
    SequencedMap<String, String> names = new LinkedHashMap<>();
    for (Entry e : entries(config)) {
      TensorInfo info = file.tensors().get(e.gguf);
      if (info == null) {
        throw new InputException(
            "%s: tensor %s is missing; the metadata needs it with shape %s"
                .formatted(file.origin(), e.gguf, e.shape));
      }
      if (!info.shape().equals(e.shape)) {
        throw new InputException(
            "%s: tensor %s has shape %s, the metadata needs %s"
                .formatted(file.origin(), e.gguf, info.shape(), e.shape));
      }
      names.put(e.hf, e.gguf);
    }
    Set<String> known = Set.copyOf(names.values());
    for (String name : file.tensors().keySet()) {
      if (!known.contains(name)) {
        throw new InputException(
            "%s: tensor %s is not part of the model that the metadata describes%s"
                .formatted(
                    file.origin(),
                    Show.value(name),
                    name.startsWith("rope_")
                        ? ": factors of scaled rotary frequencies are not supported"
                        : "; check llama.block_count and the biases"));
      }
    }
    return new RenamedWeights(file, names);
  }

  /** All tensors of a model, in the order in which the decoder asks for them. */
  public static List<Entry> entries(DecoderConfig c) {
    long hidden = c.hidden();
    long ffn = c.ffn();
    long queries = (long) c.heads() * c.headSize();
    long keys = (long) c.kvHeads() * c.headSize();
    List<Entry> out = new ArrayList<>();
    out.add(new Entry(EMBEDDING, "model.embed_tokens.weight", List.of((long) c.vocab(), hidden)));
    for (int i = 0; i < c.layers(); i++) {
      String from = "blk." + i + ".";
      String to = "model.layers." + i + ".";
      out.add(new Entry(from + "attn_norm.weight", to + "input_layernorm.weight", List.of(hidden)));
      linear(out, from + "attn_q", to + "self_attn.q_proj", queries, hidden, c.attentionBias());
      linear(out, from + "attn_k", to + "self_attn.k_proj", keys, hidden, c.attentionBias());
      linear(out, from + "attn_v", to + "self_attn.v_proj", keys, hidden, c.attentionBias());
      linear(
          out, from + "attn_output", to + "self_attn.o_proj", hidden, queries, c.attentionBias());
      out.add(
          new Entry(
              from + "ffn_norm.weight", to + "post_attention_layernorm.weight", List.of(hidden)));
      linear(out, from + "ffn_gate", to + "mlp.gate_proj", ffn, hidden, c.mlpBias());
      linear(out, from + "ffn_up", to + "mlp.up_proj", ffn, hidden, c.mlpBias());
      linear(out, from + "ffn_down", to + "mlp.down_proj", hidden, ffn, c.mlpBias());
    }
    out.add(new Entry("output_norm.weight", "model.norm.weight", List.of(hidden)));
    if (!c.tiedHead()) {
      out.add(new Entry(HEAD, "lm_head.weight", List.of((long) c.vocab(), hidden)));
    }
    return out;
  }

  private static void linear(
      List<Entry> out, String gguf, String hf, long outputs, long inputs, boolean bias) {
    out.add(new Entry(gguf + ".weight", hf + ".weight", List.of(outputs, inputs)));
    if (bias) {
      out.add(new Entry(gguf + ".bias", hf + ".bias", List.of(outputs)));
    }
  }

  private static void refuseOthers(GgufMetadata m) {
    only(m, "general.architecture", ARCHITECTURE);
    if (m.has("general.type")) {
      only(m, "general.type", "model");
    }
    if (m.has("llama.rope.scaling.type")) {
      only(m, "llama.rope.scaling.type", "none");
    }
    if (m.getInt("split.count", 0, 1 << 16, 1) > 1) {
      throw m.error("split.count", "one file; join the parts with llama.cpp's gguf-split --merge");
    }
    for (String key : NO_EFFECT_AT_ZERO) {
      if (m.has(key)) {
        m.getInt(key, 0, 0);
      }
    }
    for (String key : NOT_SUPPORTED) {
      if (m.has(key)) {
        throw m.error(key, "none (plain llama is supported)");
      }
    }
    if (!m.getBoolean("llama.attention.causal", true)) {
      throw m.error("llama.attention.causal", "true");
    }
    for (String key : List.of("llama.rope.scaling.factor", "llama.rope.scale_linear")) {
      if (m.has(key) && m.getDouble(key, 0, Double.MAX_VALUE) != 1) {
        throw m.error(key, "1 (scaled rotary frequencies are not supported)");
      }
    }
  }

  private static void only(GgufMetadata m, String key, String supported) {
    if (!m.getString(key).equals(supported)) {
      throw m.error(key, '"' + supported + "\" (supported: " + supported + ")");
    }
  }

  private static int headSize(GgufMetadata m, int hidden, int heads) {
    String key = "llama.attention.key_length";
    if (!m.has(key) && hidden % heads != 0) {
      throw m.error("llama.embedding_length", "a multiple of head_count " + heads);
    }
    int size = m.getInt(key, 2, 1 << 14, hidden / heads);
    if (size % 2 != 0 || size < 2) {
      throw m.error(
          m.has(key) ? key : "llama.embedding_length",
          "an even head size of 2 or more, for rotary pairs; this gives " + size);
    }
    for (String same : List.of("llama.attention.value_length", "llama.rope.dimension_count")) {
      if (m.getInt(same, 1, Integer.MAX_VALUE, size) != size) {
        throw m.error(same, "the head size " + size);
      }
    }
    return size;
  }

  /** Rows of the embedding; all that is said of the vocabulary must agree with it. */
  private static int vocab(Gguf file) {
    TensorInfo info = file.tensors().get(EMBEDDING);
    if (info == null || info.shape().size() != 2 || info.shape().getFirst() > 1 << 24) {
      throw new InputException(
          "%s: tensor %s %s, expected one with a row for each of at most %d tokens"
              .formatted(
                  file.origin(),
                  EMBEDDING,
                  info == null ? "is missing" : "has shape " + info.shape(),
                  1 << 24));
    }
    int rows = info.shape().getFirst().intValue();
    if (file.metadata().getInt("llama.vocab_size", 1, 1 << 24, rows) != rows) {
      throw file.metadata().error("llama.vocab_size", rows + ", the rows of " + EMBEDDING);
    }
    return rows;
  }

  private static OptionalInt special(GgufMetadata m, String which, DecoderConfig c) {
    return m.findInt("tokenizer.ggml." + which + "_token_id", 0, c.vocab() - 1);
  }

  /** All ids at which generation ends: of a text, of a turn, of a message. */
  private static List<Integer> eos(GgufMetadata m, DecoderConfig c) {
    Set<Integer> ids = new LinkedHashSet<>();
    for (String which : List.of("eos", "eot", "eom")) {
      special(m, which, c).ifPresent(ids::add);
    }
    return List.copyOf(ids);
  }
}

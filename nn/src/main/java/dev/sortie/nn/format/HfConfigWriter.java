package dev.sortie.nn.format;

import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.DType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Writes the {@code config.json} that transformers loads as {@code LlamaForCausalLM}. */
public final class HfConfigWriter {
  static final Map<String, DType> DTYPE_NAMES =
      Map.of(
          "float32", DType.F32, "float64", DType.F64, "bfloat16", DType.BF16, "float16", DType.F16);

  private HfConfigWriter() {}

  /** Writes {@code config} to {@code file}, atomically. */
  public static void write(Path file, HfConfig config) {
    Json.write(file, fields(config));
  }

  /**
   * Writes the configuration of another folder with another type of weights.
   *
   * @param folder that has {@code config.json}
   */
  public static void copy(Path folder, Path file, DType dtype) {
    SequencedMap<String, Object> fields =
        new LinkedHashMap<>(Json.read(folder.resolve(HfConfig.FILE)).fields());
    String field = fields.containsKey("dtype") ? "dtype" : "torch_dtype";
    fields.put(field, name(dtype));
    Json.write(file, fields);
  }

  /** The fields in the order of the file; readable by transformers 4 and 5. */
  static SequencedMap<String, Object> fields(HfConfig config) {
    DecoderConfig d = config.decoder();
    if (d.ropeInterleaved()) {
      throw new IllegalArgumentException("transformers has no interleaved Llama; reorder q and k");
    }
    if (!d.isPlainLlama()) {
      throw new IllegalArgumentException("the configuration is not of the Llama family: " + d);
    }
    SequencedMap<String, Object> out = new LinkedHashMap<>();
    out.put("architectures", List.of(HfConfig.ARCHITECTURE));
    out.put("model_type", HfConfig.MODEL_TYPE);
    out.put("hidden_size", d.hidden());
    out.put("intermediate_size", d.ffn());
    out.put("num_hidden_layers", d.layers());
    out.put("num_attention_heads", d.heads());
    out.put("num_key_value_heads", d.kvHeads());
    out.put("head_dim", d.headSize());
    out.put("vocab_size", d.vocab());
    out.put("max_position_embeddings", d.context());
    out.put("hidden_act", "silu");
    out.put("rms_norm_eps", d.normEps());
    out.put("rope_theta", d.ropeTheta());
    out.put("rope_scaling", null);
    out.put("attention_bias", d.attentionBias());
    out.put("mlp_bias", d.mlpBias());
    out.put("tie_word_embeddings", d.tiedHead());
    out.put("bos_token_id", config.bos().isPresent() ? config.bos().getAsInt() : null);
    out.put("eos_token_id", eos(config.eos()));
    config.dtype().ifPresent(dtype -> out.put("torch_dtype", name(dtype)));
    return out;
  }

  private static Object eos(List<Integer> ids) {
    return switch (ids.size()) {
      case 0 -> null;
      case 1 -> ids.getFirst();
      default -> ids;
    };
  }

  private static String name(DType dtype) {
    return DTYPE_NAMES.entrySet().stream()
        .filter(e -> e.getValue() == dtype)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException("weights of type " + dtype + " have no torch_dtype"));
  }
}

package dev.sortie.nn.format;

import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.DType;
import java.util.Map;

/** Writes the configuration of a Llama-family model into the metadata of a GGUF file. */
public final class GgufLlamaWriter {
  private static final String QUANTIZATION_VERSION = "general.quantization_version";
  private static final String FILE_TYPE = "general.file_type";

  /** The word for the type of most matrices (the enum {@code llama_ftype} of llama.cpp). */
  private static final Map<DType, Integer> FILE_TYPES =
      Map.of(
          DType.F32, 0,
          DType.F16, 1,
          DType.Q4_0, 2,
          DType.Q4_1, 3,
          DType.Q8_0, 7,
          DType.Q5_0, 8,
          DType.Q5_1, 9,
          DType.Q4_K, 14,
          DType.BF16, 32);

  private GgufLlamaWriter() {}

  /** Adds the configuration to {@code out}. */
  public static void write(DecoderConfig c, String name, GgufWriter out) {
    out.metadata("general.architecture", GgufLlama.ARCHITECTURE);
    out.metadata("general.type", "model");
    out.metadata("general.name", name);
    out.metadata("llama.block_count", c.layers());
    out.metadata("llama.context_length", c.context());
    out.metadata("llama.embedding_length", c.hidden());
    out.metadata("llama.feed_forward_length", c.ffn());
    out.metadata("llama.attention.head_count", c.heads());
    out.metadata("llama.attention.head_count_kv", c.kvHeads());
    out.metadata("llama.attention.key_length", c.headSize());
    out.metadata("llama.attention.value_length", c.headSize());
    out.metadata("llama.attention.layer_norm_rms_epsilon", (float) c.normEps());
    out.metadata("llama.rope.dimension_count", c.headSize());
    out.metadata("llama.rope.freq_base", (float) c.ropeTheta());
    out.metadata("llama.vocab_size", c.vocab());
  }

  /** Adds all pairs of another file but those that its tensor types decide. */
  public static void copy(GgufMetadata from, GgufWriter out) {
    from.values()
        .forEach(
            (key, value) -> {
              if (!key.equals(GgufHeader.ALIGNMENT)
                  && !key.equals(FILE_TYPE)
                  && !key.equals(QUANTIZATION_VERSION)) {
                out.metadata(key, value);
              }
            });
  }

  /** Adds what the type of most matrices decides. */
  public static void types(DType matrices, GgufWriter out) {
    if (FILE_TYPES.containsKey(matrices)) {
      out.metadata(FILE_TYPE, FILE_TYPES.get(matrices));
    }
    if (matrices.isQuantised()) {
      out.metadata(QUANTIZATION_VERSION, 2);
    }
  }
}

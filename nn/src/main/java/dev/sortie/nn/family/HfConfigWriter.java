package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Writes the {@code config.json} that transformers loads. */
public final class HfConfigWriter {
  static final Map<String, DType> DTYPE_NAMES =
      Map.of(
          "float32", DType.F32, "float64", DType.F64, "bfloat16", DType.BF16, "float16", DType.F16);

  private static final JsonLimits LIMITS = JsonLimits.DATA;

  /** The scalings of Llama 3.1 and 3.3, and of 3.2. */
  private static final List<RopeScaling.Llama3> LLAMA3 =
      List.of(new RopeScaling.Llama3(8, 1, 4, 8192), new RopeScaling.Llama3(32, 1, 4, 8192));

  private HfConfigWriter() {}

  /**
   * Writes {@code config} to {@code file}, atomically.
   *
   * @throws InputException if the family has no words for what the configuration says
   */
  public static void write(Path file, HfConfig config) {
    SequencedMap<String, Object> fields = fields(config);
    String text = Json.compact(fields);
    DecoderConfig back = HfConfigReader.read(Json.parse(file.toString(), text, LIMITS)).decoder();
    DecoderConfig wanted = config.decoder().withScaling(scaling(config.decoder()));
    // a family takes much for granted
    if (!back.equals(wanted)) {
      throw new InputException(
          "%s: model_type %s cannot say what the model is: %s, read back %s"
              .formatted(file, config.family(), wanted, back));
    }
    Json.write(file, fields);
  }

  /**
   * Writes the configuration of another folder with another type of weights.
   *
   * @param folder that has {@code config.json}
   */
  public static void copy(Path folder, Path file, DType dtype) {
    Json.write(file, copied(Json.read(folder.resolve(HfConfig.FILE)), dtype));
  }

  /**
   * Writes the configuration of another folder for layers that share bases.
   *
   * @param folder that has {@code config.json}
   * @param dtype of the weights
   */
  public static void copy(Path folder, Path file, DType dtype, SharedBases bases) {
    JsonObject json = Json.read(folder.resolve(HfConfig.FILE));
    Json.write(file, SharedBasesFields.with(json, copied(json, dtype), bases));
  }

  private static SequencedMap<String, Object> copied(JsonObject json, DType dtype) {
    SequencedMap<String, Object> fields = new LinkedHashMap<>(json.fields());
    String field = fields.containsKey("dtype") ? "dtype" : "torch_dtype";
    fields.put(field, name(dtype));
    return fields;
  }

  /** The fields in the order of the file; readable by transformers 4 and 5. */
  static SequencedMap<String, Object> fields(HfConfig config) {
    DecoderConfig d = config.decoder();
    if (d.ropeInterleaved()) {
      throw new IllegalArgumentException("transformers has no interleaved Llama; reorder q and k");
    }
    ModelFamily family = Families.named(config.family());
    SequencedMap<String, Object> out = new LinkedHashMap<>();
    out.put("architectures", List.of(family.architecture()));
    out.put("model_type", family.modelType());
    size(out, family, "hidden_size", d.hidden());
    size(out, family, "intermediate_size", d.ffn());
    size(out, family, "num_hidden_layers", d.storedLayers());
    size(out, family, "num_attention_heads", d.heads());
    if (d.kvHeads() != d.heads() || family.fieldNames().isEmpty()) {
      out.put("num_key_value_heads", d.kvHeads());
    }
    if (d.headSize() * (long) d.heads() != d.hidden() || family.fieldNames().isEmpty()) {
      out.put("head_dim", d.headSize());
    }
    out.put("vocab_size", d.vocab());
    size(out, family, "max_position_embeddings", d.context());
    family.writer().accept(d, out);
    if (!d.switches().learnedPositions()) {
      out.put("rope_scaling", HfRope.fields(scaling(d)));
    }
    out.put("tie_word_embeddings", d.tiedHead());
    out.put("bos_token_id", config.bos().isPresent() ? config.bos().getAsInt() : null);
    out.put("eos_token_id", eos(config.eos()));
    // some families' class has a default that a small vocabulary may not hold
    out.put("pad_token_id", null);
    config.dtype().ifPresent(dtype -> out.put("torch_dtype", name(dtype)));
    return out;
  }

  private static void size(Map<String, Object> out, ModelFamily family, String llama, int value) {
    out.put(family.fieldNames().getOrDefault(llama, llama), value);
  }

  /** Rotary factors of a GGUF file as what they were made from. */
  private static RopeScaling scaling(DecoderConfig d) {
    RopeScaling scaling = d.switches().scaling();
    if (!(scaling instanceof RopeScaling.Divided factors)) {
      return scaling;
    }
    for (RopeScaling.Llama3 known : LLAMA3) {
      if (factors.isNear(RopeScaling.Divided.of(known, d.ropeTheta(), d.switches().rotary()))) {
        return known;
      }
    }
    throw new InputException(
        "rotary factors that are not those of Llama 3.1, 3.2 or 3.3 have no word in config.json");
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

package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.DType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Turns the JSON of a Llama-family configuration into {@link HfConfig}. */
final class HfConfigReader {
  private static final double DEFAULT_ROPE_THETA = 10_000;
  private static final double DEFAULT_NORM_EPS = 1e-6;
  private static final int DEFAULT_BOS = 1;
  private static final int DEFAULT_EOS = 2;
  private static final double BIG = Double.MAX_VALUE;

  private final JsonObject json;

  private HfConfigReader(JsonObject json) {
    this.json = json;
  }

  static HfConfig read(JsonObject json) {
    HfConfigReader reader = new HfConfigReader(json);
    reader.refuseOtherFamilies();
    DecoderConfig decoder = reader.decoder();
    try {
      return new HfConfig(decoder, reader.bos(), reader.eos(), reader.dtype());
    } catch (InputException e) {
      throw new InputException(located(json, e), e);
    }
  }

  private void refuseOtherFamilies() {
    only("model_type", HfConfig.MODEL_TYPE);
    if (json.has("architectures")
        && !json.getStrings("architectures").contains(HfConfig.ARCHITECTURE)) {
      throw json.error("architectures", "a list with " + HfConfig.ARCHITECTURE);
    }
    if (json.has("hidden_act")) {
      only("hidden_act", "silu");
    }
    for (String field : List.of("rope_scaling", "quantization_config", "sliding_window")) {
      if (json.has(field)) {
        throw json.error(field, "null (plain " + HfConfig.MODEL_TYPE + " is supported)");
      }
    }
    if (json.getBoolean("rope_interleaved", false)) {
      throw json.error("rope_interleaved", "false");
    }
    wholeRotary(json);
  }

  private void only(String field, String supported) {
    if (!supported.equals(json.fields().get(field))) {
      throw json.error(field, '"' + supported + "\" (supported: " + supported + ")");
    }
  }

  private DecoderConfig decoder() {
    int hidden = size("hidden_size");
    int heads = size("num_attention_heads");
    if (!json.has("head_dim") && hidden % heads != 0) {
      throw json.error(
          "hidden_size", "a multiple of num_attention_heads " + heads + ", or a head_dim");
    }
    try {
      return new DecoderConfig(
          size("num_hidden_layers"),
          hidden,
          heads,
          json.has("num_key_value_heads") ? size("num_key_value_heads") : heads,
          json.has("head_dim") ? size("head_dim") : hidden / heads,
          size("intermediate_size"),
          size("vocab_size"),
          size("max_position_embeddings"),
          json.has("rms_norm_eps") ? json.getDouble("rms_norm_eps", 0, 1) : DEFAULT_NORM_EPS,
          ropeTheta(),
          false,
          json.getBoolean("attention_bias", false),
          json.getBoolean("mlp_bias", false),
          json.getBoolean("tie_word_embeddings", false));
    } catch (InputException e) {
      throw new InputException(located(json, e), e);
    }
  }

  private int size(String field) {
    return json.getInt(field, 1, Integer.MAX_VALUE);
  }

  /** Up to transformers 4 the base stands alone; 5 puts it in {@code rope_parameters}. */
  private double ropeTheta() {
    Optional<Double> old = json.optional("rope_theta", f -> json.getDouble(f, 0, BIG));
    if (!json.has("rope_parameters")) {
      return old.orElse(DEFAULT_ROPE_THETA);
    }
    JsonObject rope = json.getObject("rope_parameters");
    rope.refuseUnknown(Set.of("rope_theta", "rope_type", "partial_rotary_factor"));
    if (rope.has("rope_type")) {
      rope.getString("rope_type", Set.of("default"));
    }
    wholeRotary(rope);
    Optional<Double> theta = rope.optional("rope_theta", f -> rope.getDouble(f, 0, BIG));
    if (theta.isPresent() && old.isPresent() && !theta.equals(old)) {
      throw json.error("rope_theta", "the same as rope_parameters.rope_theta " + theta.get());
    }
    return theta.or(() -> old).orElse(DEFAULT_ROPE_THETA);
  }

  private static void wholeRotary(JsonObject object) {
    if (object.has("partial_rotary_factor")
        && object.getDouble("partial_rotary_factor", -BIG, BIG) != 1.0) {
      throw object.error("partial_rotary_factor", "1.0");
    }
  }

  /**
   * A field that is {@code null} says that there is no such token; a missing one means the default.
   */
  private OptionalInt bos() {
    if (!json.contains("bos_token_id")) {
      return OptionalInt.of(DEFAULT_BOS);
    }
    return json.has("bos_token_id") ? OptionalInt.of(id("bos_token_id")) : OptionalInt.empty();
  }

  private List<Integer> eos() {
    String field = "eos_token_id";
    if (!json.contains(field)) {
      return List.of(DEFAULT_EOS);
    }
    return switch (json.fields().get(field)) {
      case null -> List.of();
      case List<?> _ -> json.getInts(field, 0, Integer.MAX_VALUE);
      default -> List.of(id(field));
    };
  }

  private int id(String field) {
    return json.getInt(field, 0, Integer.MAX_VALUE);
  }

  /** Called {@code torch_dtype} up to transformers 4, {@code dtype} from then on. */
  private Optional<DType> dtype() {
    Optional<DType> old = json.optional("torch_dtype", this::dtype);
    Optional<DType> now = json.optional("dtype", this::dtype);
    if (old.isPresent() && now.isPresent() && !old.equals(now)) {
      throw json.error("torch_dtype", "the same as dtype " + json.getString("dtype"));
    }
    return now.or(() -> old);
  }

  private DType dtype(String field) {
    String name = json.getString(field, HfConfigWriter.DTYPE_NAMES.keySet());
    return HfConfigWriter.DTYPE_NAMES.get(name);
  }

  /** The record knows the field and its limits, not the file. */
  private static String located(JsonObject json, InputException e) {
    String message = e.getMessage();
    return message.startsWith(json.origin()) ? message : json.origin() + ": " + message;
  }
}

package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/** Turns the JSON of a configuration into {@link HfConfig}, by the table of {@link Families}. */
final class HfConfigReader {
  private static final int DEFAULT_BOS = 1;
  private static final int DEFAULT_EOS = 2;

  /** Fields that change the arithmetic of any family in a way that is not supported. */
  private static final List<String> NOT_SUPPORTED =
      List.of(
          "quantization_config",
          "attn_logit_softcapping",
          "final_logit_softcapping",
          "clip_qkv",
          "num_experts",
          "num_local_experts",
          "n_routed_experts");

  private final JsonObject json;
  private final ModelFamily family;

  private HfConfigReader(JsonObject json, ModelFamily family) {
    this.json = json;
    this.family = family;
  }

  static HfConfig read(JsonObject json) {
    Optional<SharedBasesFields> shared = SharedBasesFields.of(json);
    return shared.isEmpty() ? read(json, UnaryOperator.identity()) : shared.get().read();
  }

  /**
   * Reads a configuration of one of the families.
   *
   * @param more changes the decoder that its fields describe
   */
  static HfConfig read(JsonObject json, UnaryOperator<DecoderConfig> more) {
    HfConfigReader reader = new HfConfigReader(json, Families.of(json));
    reader.refuseWhatIsNotSupported();
    DecoderConfig decoder = more.apply(reader.family.read(json));
    try {
      return new HfConfig(
          decoder, reader.bos(), reader.eos(), reader.dtype(), reader.family.modelType());
    } catch (InputException e) {
      throw located(json, e);
    }
  }

  private void refuseWhatIsNotSupported() {
    if (json.has("architectures")
        && !json.getStrings("architectures").contains(family.architecture())) {
      throw json.error("architectures", "a list with " + family.architecture());
    }
    for (String field : NOT_SUPPORTED) {
      if (json.has(field)) {
        throw json.error(field, "null (not supported)");
      }
    }
    for (String field : List.of("rope_interleaved", "use_bidirectional_attention")) {
      if (json.getBoolean(field, false)) {
        throw json.error(field, "false");
      }
    }
    if (!json.getBoolean("is_causal", true)) {
      throw json.error("is_causal", "true");
    }
  }

  /**
   * A field that is {@code null} says that there is no such token; a missing one means Llama's
   * default, and none in other families.
   */
  private OptionalInt bos() {
    if (!json.contains("bos_token_id")) {
      return isLlama() ? OptionalInt.of(DEFAULT_BOS) : OptionalInt.empty();
    }
    return json.has("bos_token_id") ? OptionalInt.of(id("bos_token_id")) : OptionalInt.empty();
  }

  private List<Integer> eos() {
    String field = "eos_token_id";
    if (!json.contains(field)) {
      return isLlama() ? List.of(DEFAULT_EOS) : List.of();
    }
    return switch (json.fields().get(field)) {
      case null -> List.of();
      case List<?> _ -> json.getInts(field, 0, Integer.MAX_VALUE);
      default -> List.of(id(field));
    };
  }

  private boolean isLlama() {
    return family.modelType().equals(HfConfig.MODEL_TYPE);
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
  static InputException located(JsonObject json, InputException e) {
    String message = e.getMessage();
    return message.startsWith(json.origin())
        ? e
        : new InputException(json.origin() + ": " + message, e);
  }
}

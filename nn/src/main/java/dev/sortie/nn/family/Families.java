package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** The table of model families. */
public final class Families {
  private static final List<ModelFamily> ALL =
      List.of(
          ModelFamily.of(
                  "Llama 2, Llama 3, SmolLM2",
                  "llama",
                  "LlamaForCausalLM",
                  FamilyRecipes::llama,
                  FamilyFields::llama)
              .withGguf("llama"),
          ModelFamily.of(
                  "Mistral",
                  "mistral",
                  "MistralForCausalLM",
                  FamilyRecipes::mistral,
                  FamilyFields::window)
              .withGguf("llama"),
          ModelFamily.of(
                  "Qwen 2, Qwen 2.5",
                  "qwen2",
                  "Qwen2ForCausalLM",
                  FamilyRecipes::qwen2,
                  FamilyFields::window)
              .withGguf("qwen2"),
          ModelFamily.of(
                  "Qwen 3",
                  "qwen3",
                  "Qwen3ForCausalLM",
                  FamilyRecipes::qwen3,
                  FamilyFields::attentionBias)
              .withGguf("qwen3"),
          ModelFamily.of(
                  "SmolLM3",
                  "smollm3",
                  "SmolLM3ForCausalLM",
                  FamilyRecipes::smolLm3,
                  FamilyFields::smolLm3)
              .withGguf("smollm3"),
          ModelFamily.of(
                  "Gemma 3 text",
                  "gemma3_text",
                  "Gemma3ForCausalLM",
                  FamilyRecipes::gemma3,
                  FamilyFields::gemma3)
              .withGguf("gemma3")
              .withNames(FamilyNames.gemma3()),
          ModelFamily.of(
                  "Phi-3", "phi3", "Phi3ForCausalLM", FamilyRecipes::phi3, FamilyFields::phi3)
              .withGguf("phi3")
              .withNames(FamilyNames.phi3()),
          ModelFamily.of(
                  "OLMo 2",
                  "olmo2",
                  "Olmo2ForCausalLM",
                  FamilyRecipes::olmo2,
                  FamilyFields::attentionBias)
              .withGguf("olmo2")
              .withNames(FamilyNames.olmo2()),
          ModelFamily.of(
                  "GPT-NeoX, Pythia",
                  "gpt_neox",
                  "GPTNeoXForCausalLM",
                  FamilyRecipes::gptNeoX,
                  FamilyFields::gptNeoX)
              .withGguf("gptneox")
              .withNames(FamilyNames.gptNeoX())
              .withIgnored(".attention.bias", ".attention.masked_bias", "rotary_emb.inv_freq"),
          ModelFamily.of(
                  "GPT-2", "gpt2", "GPT2LMHeadModel", FamilyRecipes::gpt2, FamilyFields::gpt2)
              .withGguf("gpt2")
              .withNames(FamilyNames.gpt2())
              .withDropped("transformer.")
              .withIgnored(".attn.bias", ".attn.masked_bias")
              .withFieldNames(
                  Map.of(
                      "num_hidden_layers", "n_layer",
                      "hidden_size", "n_embd",
                      "num_attention_heads", "n_head",
                      "intermediate_size", "n_inner",
                      "max_position_embeddings", "n_positions")),
          ModelFamily.of(
              "Zero Token Transformer",
              HfConfig.CYCLED,
              "ZeroTokenTransformerForCausalLM",
              FamilyRecipes::zeroToken,
              FamilyFields::zeroToken));

  private Families() {}

  /**
   * A family that is supported: its folders of {@code config.json} and {@code safetensors} load,
   * decode and take exits.
   *
   * @param title what people call it
   * @param modelType {@code model_type} in {@code config.json}
   * @param architecture the class in transformers
   * @param gguf whether its GGUF files are read and written too; what their architecture has no
   *     word for is refused
   */
  public record Support(String title, String modelType, String architecture, boolean gguf) {}

  /** All families, in the order in which they are shown. */
  public static List<Support> supported() {
    return ALL.stream()
        .map(f -> new Support(f.title(), f.modelType(), f.architecture(), f.gguf().isPresent()))
        .toList();
  }

  /**
   * The weights of {@code safetensors} under the decoder's names; closing them closes the file.
   *
   * @param modelType the family, from {@link HfConfig#family}
   * @throws InputException if a tensor is missing or has another shape than the configuration says
   */
  public static WeightSource weights(String modelType, WeightSource file, DecoderConfig config) {
    return named(modelType).weights(file, config);
  }

  /**
   * The tensors that {@code safetensors} of a family have.
   *
   * @param modelType the family, from {@link HfConfig#family}
   */
  public static List<FileTensor> tensors(String modelType, DecoderConfig config) {
    return FileTensor.all(config, named(modelType).names());
  }

  /** Whether {@code safetensors} have a tensor of the decoder as it is, under whatever name. */
  public static boolean isWhole(String modelType, String part) {
    return FileTensor.isWhole(named(modelType).names(), part);
  }

  /**
   * Puts a tensor of the decoder where it belongs in one of {@link #tensors}.
   *
   * @param part the decoder's name
   * @param from its elements
   * @param whole those of the file's tensor, of the same type
   */
  public static void put(
      String modelType, DecoderConfig config, String part, Span from, Span whole) {
    FileTensor.put(config, named(modelType).names(), part, from, whole);
  }

  /**
   * Which tensors of a family's {@code safetensors} are no weights.
   *
   * @param modelType the family, from {@link HfConfig#family}
   */
  public static Predicate<String> buffers(String modelType) {
    List<String> ignored = named(modelType).ignored();
    return name -> ignored.stream().anyMatch(name::endsWith);
  }

  /**
   * The family of a {@code config.json}.
   *
   * @throws InputException if there is none
   */
  static ModelFamily of(JsonObject json) {
    Object type = json.fields().get("model_type");
    for (ModelFamily f : ALL) {
      if (f.modelType().equals(type)) {
        return f;
      }
    }
    String all = String.join(", ", ALL.stream().map(ModelFamily::modelType).toList());
    throw json.error("model_type", "one of these (supported: " + all + ")");
  }

  /** The family of a {@code model_type} that is in the table. */
  static ModelFamily named(String modelType) {
    return ALL.stream().filter(f -> f.modelType().equals(modelType)).findFirst().orElseThrow();
  }
}

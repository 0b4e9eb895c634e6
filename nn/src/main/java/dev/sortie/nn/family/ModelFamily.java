package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * A family of models: how to read its configuration, and where its files have the decoder's
 * tensors. {@link Families} has the table.
 *
 * @param title what people call it
 * @param modelType {@code model_type} in {@code config.json}
 * @param architecture the class in transformers, in {@code architectures}
 * @param gguf {@code general.architecture} in GGUF files that are read and written, if any are
 * @param fieldNames other names of sizes in {@code config.json}, by Llama's
 * @param recipe sets what differs from Llama
 * @param writer puts the fields that are not sizes into {@code config.json}
 * @param names of tensors in {@code safetensors} that differ from the decoder's
 * @param dropped prefix of those names that some files lack, or an empty string
 * @param ignored endings of names of tensors that are no weights
 */
record ModelFamily(
    String title,
    String modelType,
    String architecture,
    Optional<String> gguf,
    Map<String, String> fieldNames,
    UnaryOperator<DecoderRecipe> recipe,
    BiConsumer<DecoderConfig, Map<String, Object>> writer,
    List<NameRule> names,
    String dropped,
    List<String> ignored) {

  /** A family whose names are the decoder's. */
  static ModelFamily of(
      String title,
      String type,
      String architecture,
      UnaryOperator<DecoderRecipe> recipe,
      BiConsumer<DecoderConfig, Map<String, Object>> writer) {
    return new ModelFamily(
        title,
        type,
        architecture,
        Optional.empty(),
        Map.of(),
        recipe,
        writer,
        List.of(),
        "",
        List.of());
  }

  ModelFamily withGguf(String name) {
    return new ModelFamily(
        title,
        modelType,
        architecture,
        Optional.of(name),
        fieldNames,
        recipe,
        writer,
        names,
        dropped,
        ignored);
  }

  ModelFamily withFieldNames(Map<String, String> others) {
    return new ModelFamily(
        title, modelType, architecture, gguf, others, recipe, writer, names, dropped, ignored);
  }

  ModelFamily withNames(List<NameRule> rules) {
    return new ModelFamily(
        title, modelType, architecture, gguf, fieldNames, recipe, writer, rules, dropped, ignored);
  }

  ModelFamily withDropped(String prefix) {
    return new ModelFamily(
        title, modelType, architecture, gguf, fieldNames, recipe, writer, names, prefix, ignored);
  }

  ModelFamily withIgnored(String... endings) {
    return new ModelFamily(
        title,
        modelType,
        architecture,
        gguf,
        fieldNames,
        recipe,
        writer,
        names,
        dropped,
        List.of(endings));
  }

  /** The configuration that the fields describe. */
  DecoderConfig read(JsonObject json) {
    return recipe.apply(new DecoderRecipe(json, fieldNames)).build();
  }

  /**
   * The weights of a file under the decoder's names; closing them closes the file.
   *
   * @throws InputException if a tensor is missing or has another shape than the configuration says
   */
  WeightSource weights(WeightSource file, DecoderConfig config) {
    return names.isEmpty() && ignored.isEmpty()
        ? file
        : FamilyWeights.of(file, config, names, dropped, ignored);
  }
}

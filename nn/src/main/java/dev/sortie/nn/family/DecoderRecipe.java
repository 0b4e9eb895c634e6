package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches.Activation;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.nn.model.DecoderSwitches.Rotation;
import dev.sortie.nn.model.LayerCycle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * A decoder's configuration on its way from {@code config.json}: begins as Llama's, and a family
 * changes what is its own. Sizes that Llama's names give are read at the end.
 */
final class DecoderRecipe {
  private static final int ALL = Integer.MAX_VALUE;
  private static final String WINDOW = "sliding_window";
  private static final Map<String, Activation> ACTIVATIONS =
      Map.of(
          "silu", Activation.SILU,
          "gelu", Activation.GELU,
          "gelu_new", Activation.GELU_TANH,
          "gelu_pytorch_tanh", Activation.GELU_TANH);

  private final JsonObject json;
  private final Map<String, String> fieldNames;
  private final SwitchesBuilder draft = new SwitchesBuilder();
  private boolean attentionBias;
  private boolean mlpBias;
  private boolean tied;
  private double eps;
  private HfRope rope = new HfRope(10_000, 1, RopeScaling.NONE);

  /**
   * Llama, but for what follows.
   *
   * @param fieldNames other names of sizes, by Llama's
   */
  DecoderRecipe(JsonObject json, Map<String, String> fieldNames) {
    this.json = json;
    this.fieldNames = fieldNames;
  }

  /** The fields. */
  JsonObject json() {
    return json;
  }

  /** A size by Llama's name for it. */
  int size(String llama) {
    return json.getInt(name(llama), 1, Integer.MAX_VALUE);
  }

  /** The number of layers; bounded here, for lists of that length are made before it is checked. */
  int layers() {
    return json.getInt(name("num_hidden_layers"), 1, DecoderConfig.MOST_LAYERS);
  }

  private String name(String llama) {
    return fieldNames.getOrDefault(llama, llama);
  }

  DecoderRecipe residual(Residual value) {
    draft.residual = value;
    return this;
  }

  DecoderRecipe norm(NormKind value) {
    draft.norm = value;
    return this;
  }

  /** Reads what is added to the mean square or variance. */
  DecoderRecipe eps(String field, double otherwise) {
    eps = json.has(field) ? json.getDouble(field, 0, 1) : otherwise;
    return this;
  }

  /** Reads the activation, one of those {@code allowed}. */
  DecoderRecipe activation(String field, boolean hasGate, String otherwise, List<String> allowed) {
    draft.gated = hasGate;
    String found = json.has(field) ? String.valueOf(json.fields().get(field)) : otherwise;
    if (!allowed.contains(found)) {
      throw json.error(field, "one of " + allowed);
    }
    draft.activation = ACTIVATIONS.get(found);
    return this;
  }

  DecoderRecipe queryKeyNorm(QueryKeyNorm value) {
    draft.queryKeyNorm = value;
    return this;
  }

  /** Which projections have biases: those of q, k and v; that behind attention; the MLP's. */
  DecoderRecipe biases(boolean attention, boolean output, boolean mlp) {
    attentionBias = attention;
    draft.outputBias = output;
    mlpBias = mlp;
    return this;
  }

  /** Whether a field is true. */
  boolean flag(String field, boolean otherwise) {
    return json.getBoolean(field, otherwise);
  }

  /** Whether the head is the embedding, if the file does not say. */
  DecoderRecipe tied(boolean otherwise) {
    tied = flag("tie_word_embeddings", otherwise);
    return this;
  }

  DecoderRecipe learnedPositions() {
    draft.learnedPositions = true;
    return this;
  }

  DecoderRecipe embeddingScale(double value) {
    draft.embeddingScale = value;
    return this;
  }

  DecoderRecipe attentionScale(double value) {
    draft.attentionScale = value;
    return this;
  }

  DecoderRecipe rope(HfRope value) {
    rope = value;
    return this;
  }

  /**
   * Rotation of whole heads, as most families have it.
   *
   * @param theta its base, where the file does not say
   */
  DecoderRecipe wholeRope(double theta) {
    HfRope found = HfRope.read(json, "rope_theta", theta, "partial_rotary_factor", 1);
    if (found.partial() != 1) {
      JsonObject holder =
          json.has("partial_rotary_factor") ? json : json.getObject("rope_parameters");
      throw holder.error("partial_rotary_factor", "1.0");
    }
    return rope(found);
  }

  DecoderRecipe localTheta(double value) {
    draft.localTheta = value;
    return this;
  }

  DecoderRecipe layers(List<LayerKind> kinds) {
    draft.layers = kinds;
    return this;
  }

  /**
   * What each layer sees: all tokens, or those in the window {@code sliding_window}.
   *
   * @param byDefault whether a window counts if {@code use_sliding_window} does not say
   * @param usual the window if the field is missing; null, as in a file, is none
   * @param windowed layers with a window, by number, if {@code layer_types} does not say
   */
  DecoderRecipe windows(boolean byDefault, OptionalInt usual, IntPredicate windowed) {
    int count = layers();
    boolean on =
        flag("use_sliding_window", byDefault)
            && (json.has(WINDOW) || (usual.isPresent() && !json.contains(WINDOW)));
    int window = !on ? ALL : json.has(WINDOW) ? json.getInt(WINDOW, 1, ALL) : usual.getAsInt();
    List<LayerKind> kinds = new ArrayList<>();
    List<String> types = json.has("layer_types") ? layerTypes(count) : List.of();
    for (int i = 0; i < count; i++) {
      boolean near = types.isEmpty() ? windowed.test(i) : types.get(i).equals("sliding_attention");
      if (near && !types.isEmpty() && !on) {
        throw json.error(WINDOW, "a number of tokens, as layer_types has sliding_attention");
      }
      kinds.add(new LayerKind(near ? window : ALL, Rotation.GLOBAL));
    }
    return kinds.stream().allMatch(LayerKind.FULL::equals) ? this : layers(kinds);
  }

  /** Words for what each layer sees. */
  List<String> layerTypes(int count) {
    List<String> types = json.getStrings("layer_types");
    if (types.size() != count) {
      throw json.error("layer_types", "one entry for each of " + count + " layers");
    }
    for (String type : types) {
      if (!type.equals("full_attention") && !type.equals("sliding_attention")) {
        throw json.error(
            "layer_types", "only full_attention and sliding_attention, not " + Json.shown(type));
      }
    }
    return types;
  }

  /** Layers between the first and the last that run several times. */
  DecoderRecipe cycle(LayerCycle cycle) {
    draft.cycle = cycle;
    return this;
  }

  /** Layers by number, of which some are not rotated. */
  DecoderRecipe unrotated(List<Boolean> rotated) {
    List<LayerKind> kinds = new ArrayList<>();
    for (int i = 0; i < rotated.size(); i++) {
      LayerKind kind = draft.layers.isEmpty() ? LayerKind.FULL : draft.layers.get(i);
      kinds.add(new LayerKind(kind.window(), rotated.get(i) ? kind.rotation() : Rotation.NONE));
    }
    return layers(kinds);
  }

  /** Elements a head: {@code head_dim}, or what the width gives. */
  int headSize() {
    int hidden = size("hidden_size");
    int heads = size("num_attention_heads");
    if (json.has("head_dim")) {
      return size("head_dim");
    }
    if (hidden % heads != 0) {
      throw json.error(
          name("hidden_size"),
          "a multiple of " + name("num_attention_heads") + " " + heads + ", or a head_dim");
    }
    return hidden / heads;
  }

  DecoderConfig build() {
    int heads = size("num_attention_heads");
    int headSize = headSize();
    int hidden = size("hidden_size");
    int kvHeads = json.has("num_key_value_heads") ? size("num_key_value_heads") : heads;
    String ffn = name("intermediate_size");
    // GPT-2 says null for its usual width
    boolean usual = fieldNames.containsKey("intermediate_size") && !json.has(ffn);
    draft.rotary = (int) (headSize * rope.partial());
    draft.scaling = rope.scaling();
    try {
      return new DecoderConfig(
          draft.cycle.executed(layers()),
          hidden,
          heads,
          kvHeads,
          headSize,
          usual ? Math.multiplyExact(4, hidden) : size("intermediate_size"),
          size("vocab_size"),
          size("max_position_embeddings"),
          eps,
          rope.theta(),
          false,
          attentionBias,
          mlpBias,
          tied,
          draft.build(headSize));
    } catch (InputException e) {
      throw HfConfigReader.located(json, e);
    }
  }
}

package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufMetadata;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.DecoderConfig;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model as GGUF files hold it: the configuration in the keys of its architecture, the tensors
 * under ggml's names. In some architectures the rows of the query and key projections lie so that
 * rotary pairs are neighbours ({@code ropeInterleaved}), where Hugging Face has them half a head
 * apart; the weights stay as they are and the rotation follows them.
 */
public final class GgufCheckpoint {
  /** The tensor of divisors of rotary frequencies. */
  public static final String FACTORS = GgufFields.FACTORS;

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
          "expert_count", "expert_used_count", "leading_dense_block_count", "expert_shared_count");

  private static final List<String> NOT_SUPPORTED =
      List.of(
          "attention.clamp_kqv",
          "attention.max_alibi_bias",
          "attention.scale",
          "attention.temperature_scale",
          "attention.sliding_window_pattern",
          "attn_logit_softcapping",
          "final_logit_softcapping",
          "embedding_scale",
          "logit_scale",
          "residual_scale",
          "rope.dimension_sections");

  private GgufCheckpoint() {}

  /**
   * The configuration, in the form that a Hugging Face folder gives it.
   *
   * @throws InputException if a value is missing, out of range, or asks for what is not supported
   */
  public static HfConfig config(Gguf file) {
    GgufMetadata m = file.metadata();
    GgufArchitecture a = GgufArchitectures.of(m);
    DecoderConfig decoder = decoder(a, GgufFields.of(file, a.name()));
    return new HfConfig(
        decoder, special(m, "bos", decoder), eos(m, decoder), Optional.empty(), a.modelType());
  }

  /** The configuration that keys and shapes describe. */
  static DecoderConfig decoder(GgufArchitecture a, GgufFields f) {
    refuseOthers(f);
    int layers = f.whole("block_count", 1, DecoderConfig.MOST_LAYERS);
    int hidden = f.whole("embedding_length", 1, 1 << 20);
    int heads = f.whole("attention.head_count", 1, 1 << 16);
    int kvHeads = f.whole("attention.head_count_kv", 1, heads, heads);
    if (heads % kvHeads != 0) {
      throw f.error("attention.head_count_kv", "a divisor of head_count " + heads);
    }
    int headSize = headSize(f, hidden, heads);
    int context = f.whole("context_length", 1, MAX_CONTEXT);
    SwitchesBuilder draft = new SwitchesBuilder();
    a.recipe().accept(f, draft);
    if (draft.layers.isEmpty() && f.window() != Integer.MAX_VALUE) {
      throw f.error("attention.sliding_window", "0 in the architecture " + a.name());
    }
    draft.rotary = rotary(f, headSize, a.partialRotary());
    draft.outputBias = f.hasTensor("blk.0.attn_output.bias");
    try {
      draft.scaling = f.scaling(context);
      DecoderConfig c =
          new DecoderConfig(
              layers,
              hidden,
              heads,
              kvHeads,
              headSize,
              f.whole("feed_forward_length", 1, 1 << 22),
              vocab(f),
              context,
              f.metadata().getDouble(f.key(a.epsilon()), 0, 1),
              f.real("rope.freq_base", 1, 1e12, DEFAULT_ROPE_THETA),
              a.interleaved(),
              f.hasTensor("blk.0.attn_q.bias") || f.hasTensor("blk.0.attn_qkv.bias"),
              f.hasTensor("blk.0.ffn_up.bias"),
              !f.hasTensor(HEAD),
              draft.build(headSize));
      draft.scaling.frequencies(c.ropeTheta(), c.switches().rotary());
      return c;
    } catch (InputException e) {
      String origin = f.metadata().file().toString();
      String message = e.getMessage();
      throw message.startsWith(origin) ? e : new InputException(origin + ": " + message, e);
    }
  }

  /**
   * The weights under the decoder's names. Closing them closes the file.
   *
   * @throws InputException if a tensor is missing, has another shape than the configuration says,
   *     or is not part of the model
   */
  public static WeightSource weights(Gguf file, DecoderConfig config) {
    GgufArchitecture a = GgufArchitectures.of(file.metadata());
    List<NameRule> rules = GgufArchitectures.rules(a);
    WeightSource weights = FamilyWeights.of(file, config, rules, "", List.of(GgufFields.FACTORS));
    Set<String> known = new HashSet<>();
    entries(a, config).forEach(e -> known.add(e.name()));
    known.add(GgufFields.FACTORS);
    for (String name : file.tensors().keySet()) {
      if (!known.contains(name)) {
        throw new InputException(
            "%s: tensor %s is not part of the model that the metadata describes%s"
                .formatted(
                    file.origin(),
                    Printable.value(name),
                    name.startsWith("rope_")
                        ? ": long and short factors of rotary frequencies are not supported"
                        : "; check %s.block_count and the biases".formatted(a.name())));
      }
    }
    return weights;
  }

  /**
   * All weights of a model, in the order in which the decoder asks for them.
   *
   * @param modelType the family
   * @throws InputException if GGUF files of the family are not known
   */
  public static List<FileTensor> entries(String modelType, DecoderConfig config) {
    return entries(architecture(modelType), config);
  }

  /** Whether the rows of queries and keys lie so that rotary pairs are neighbours. */
  public static boolean isInterleaved(String modelType) {
    return architecture(modelType).interleaved();
  }

  static GgufArchitecture architecture(String modelType) {
    return GgufArchitectures.ofFamily(modelType)
        .orElseThrow(
            () ->
                new InputException(
                    "model_type is "
                        + modelType
                        + ", of which GGUF files are not supported; see doctor --models"));
  }

  static List<FileTensor> entries(GgufArchitecture a, DecoderConfig config) {
    return FileTensor.all(config, GgufArchitectures.rules(a));
  }

  private static void refuseOthers(GgufFields f) {
    GgufMetadata m = f.metadata();
    if (m.has("general.type") && !m.getString("general.type").equals("model")) {
      throw m.error("general.type", "\"model\" (supported: model)");
    }
    if (m.getInt("split.count", 0, 1 << 16, 1) > 1) {
      throw m.error("split.count", "one file; join the parts with llama.cpp's gguf-split --merge");
    }
    for (String name : NO_EFFECT_AT_ZERO) {
      if (f.has(name)) {
        f.whole(name, 0, 0);
      }
    }
    for (String name : NOT_SUPPORTED) {
      if (f.has(name)) {
        throw f.error(name, "none (it is not supported)");
      }
    }
    if (!f.flag("attention.causal", true)) {
      throw f.error("attention.causal", "true");
    }
    String linear = "rope.scale_linear";
    if (f.has(linear) && f.real(linear, 0, Double.MAX_VALUE, 1) != 1) {
      throw f.error(linear, "1 (rope.scaling.factor is supported)");
    }
  }

  private static int headSize(GgufFields f, int hidden, int heads) {
    String key = "attention.key_length";
    if (!f.has(key) && hidden % heads != 0) {
      throw f.error("embedding_length", "a multiple of head_count " + heads);
    }
    int size = f.whole(key, 2, 1 << 14, hidden / heads);
    if (size % 2 != 0 || size < 2) {
      throw f.error(
          f.has(key) ? key : "embedding_length",
          "an even head size of 2 or more, for rotary pairs; this gives " + size);
    }
    if (f.whole("attention.value_length", 1, Integer.MAX_VALUE, size) != size) {
      throw f.error("attention.value_length", "the head size " + size);
    }
    return size;
  }

  private static int rotary(GgufFields f, int headSize, boolean partial) {
    String key = "rope.dimension_count";
    int rotary = f.whole(key, 1, Integer.MAX_VALUE, headSize);
    if (rotary != headSize && !partial) {
      throw f.error(key, "the head size " + headSize);
    }
    if (rotary > headSize || rotary % 2 != 0) {
      throw f.error(key, "an even number up to the head size " + headSize);
    }
    return rotary;
  }

  /** Rows of the embedding; all that is said of the vocabulary must agree with it. */
  private static int vocab(GgufFields f) {
    List<Long> shape = f.shapes().get(EMBEDDING);
    if (shape == null || shape.size() != 2 || shape.getFirst() > 1 << 24) {
      throw new InputException(
          "%s: tensor %s %s, expected one with a row for each of at most %d tokens"
              .formatted(
                  f.metadata().file(),
                  EMBEDDING,
                  shape == null ? "is missing" : "has shape " + shape,
                  1 << 24));
    }
    int rows = shape.getFirst().intValue();
    if (f.whole("vocab_size", 1, 1 << 24, rows) != rows) {
      throw f.error("vocab_size", rows + ", the rows of " + EMBEDDING);
    }
    return rows;
  }

  /** What the rotary factors of a model are written as, if it has any. */
  public static Optional<RopeScaling.Divided> factors(DecoderConfig c) {
    return switch (c.switches().scaling()) {
      case RopeScaling.Divided d -> Optional.of(d);
      case RopeScaling.Llama3 s ->
          Optional.of(RopeScaling.Divided.of(s, c.ropeTheta(), c.switches().rotary()));
      default -> Optional.empty();
    };
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

package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.format.GgufMetadata;
import dev.sortie.nn.format.GgufType;
import dev.sortie.nn.format.GgufValue;
import dev.sortie.nn.format.GgufWriter;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** Writes a configuration into the metadata of a GGUF file. */
public final class GgufCheckpointWriter {
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

  private GgufCheckpointWriter() {}

  /**
   * Adds the configuration to {@code out}.
   *
   * @param modelType the family
   * @param name of the model
   * @param origin the model's file or folder, for messages
   * @throws InputException if the architecture has no words for what the configuration says
   */
  public static void write(
      DecoderConfig c, String modelType, String name, Path origin, GgufWriter out) {
    GgufArchitecture a = GgufCheckpoint.architecture(modelType);
    SequencedMap<String, GgufValue> pairs = pairs(c, a);
    check(c, a, new GgufMetadata(origin, pairs));
    out.metadata("general.architecture", a.name());
    out.metadata("general.type", "model");
    out.metadata("general.name", name);
    pairs.forEach(out::metadata);
  }

  private static SequencedMap<String, GgufValue> pairs(DecoderConfig c, GgufArchitecture a) {
    DecoderSwitches s = c.switches();
    SequencedMap<String, GgufValue> m = new LinkedHashMap<>();
    String arch = a.name() + ".";
    whole(m, arch + "block_count", c.layers());
    whole(m, arch + "context_length", c.context());
    whole(m, arch + "embedding_length", c.hidden());
    whole(m, arch + "feed_forward_length", c.ffn());
    whole(m, arch + "attention.head_count", c.heads());
    whole(m, arch + "attention.head_count_kv", c.kvHeads());
    whole(m, arch + "attention.key_length", c.headSize());
    whole(m, arch + "attention.value_length", c.headSize());
    real(m, arch + a.epsilon(), c.normEps());
    whole(m, arch + "vocab_size", c.vocab());
    s.layers().stream()
        .mapToInt(DecoderSwitches.LayerKind::window)
        .filter(w -> w != Integer.MAX_VALUE)
        .findFirst()
        .ifPresent(w -> whole(m, arch + "attention.sliding_window", w));
    if (s.residual() == Residual.PARALLEL || a.name().equals("gptneox")) {
      m.put(arch + "use_parallel_residual", new GgufValue.Flag(s.residual() == Residual.PARALLEL));
    }
    if (!s.learnedPositions()) {
      rotary(m, arch, c);
    }
    return m;
  }

  private static void rotary(SequencedMap<String, GgufValue> m, String arch, DecoderConfig c) {
    DecoderSwitches s = c.switches();
    whole(m, arch + "rope.dimension_count", s.rotary());
    real(m, arch + "rope.freq_base", c.ropeTheta());
    if (s.rotates(DecoderSwitches.Rotation.LOCAL)) {
      real(m, arch + "rope.freq_base_swa", s.localTheta());
    }
    String scaling = arch + "rope.scaling.";
    switch (s.scaling()) {
      case RopeScaling.Linear(double factor) -> {
        m.put(scaling + "type", new GgufValue.Text("linear"));
        real(m, scaling + "factor", factor);
      }
      case RopeScaling.Yarn y -> {
        m.put(scaling + "type", new GgufValue.Text("yarn"));
        real(m, scaling + "factor", y.factor());
        whole(m, scaling + "original_context_length", y.original());
      }
      default -> {} // none, or a tensor of factors
    }
  }

  /** Reads back what would be written: an architecture takes much for granted. */
  private static void check(DecoderConfig c, GgufArchitecture a, GgufMetadata written) {
    Map<String, List<Long>> shapes = new HashMap<>();
    GgufCheckpoint.entries(a, c).forEach(e -> shapes.put(e.name(), e.shape()));
    List<Float> factors =
        GgufCheckpoint.factors(c).map(RopeScaling.Divided::factors).orElse(List.of());
    DecoderSwitches back =
        GgufCheckpoint.decoder(a, new GgufFields(written, a.name(), shapes, factors)).switches();
    Map<String, Object> says = said(c.switches(), GgufCheckpoint.factors(c));
    Map<String, Object> can = said(back, GgufCheckpoint.factors(c));
    says.forEach(
        (what, value) -> {
          if (!value.equals(can.get(what))) {
            throw new InputException(
                "%s: %s is %s, which GGUF files of the architecture %s cannot say (they mean %s)"
                    .formatted(written.file(), what, value, a.name(), can.get(what)));
          }
        });
  }

  /** Switches by name; numbers as files have them. */
  private static Map<String, Object> said(
      DecoderSwitches s, Optional<RopeScaling.Divided> factors) {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put("norm", s.norm());
    m.put("residual", s.residual());
    m.put("activation", s.activation());
    m.put("gate of the MLP", s.gated());
    m.put("query and key norm", s.queryKeyNorm());
    m.put("bias after attention", s.outputBias());
    m.put("embedding scale", (float) s.embeddingScale());
    m.put("attention scale", (float) s.attentionScale());
    m.put("rotary size", s.rotary());
    m.put("rotary scaling", factors.isPresent() ? factors.get() : s.scaling());
    boolean local = s.rotates(DecoderSwitches.Rotation.LOCAL);
    m.put("local rotary base", local ? (float) s.localTheta() : 0f);
    m.put("what layers see", s.layers());
    return m;
  }

  private static void whole(Map<String, GgufValue> m, String key, int value) {
    m.put(key, new GgufValue.Whole(GgufType.UINT32, value));
  }

  private static void real(Map<String, GgufValue> m, String key, double value) {
    m.put(key, new GgufValue.Real(GgufType.FLOAT32, (float) value));
  }

  /** Adds all pairs of another file but those that its tensor types decide. */
  public static void copy(GgufMetadata from, GgufWriter out) {
    from.values()
        .forEach(
            (key, value) -> {
              if (!key.equals(GgufMetadata.ALIGNMENT)
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

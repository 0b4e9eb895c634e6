package dev.sortie.nn.family;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.model.SharedBases.Shared;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The fields of {@code config.json} of a model whose layers share bases:
 *
 * <pre>
 * "architectures": ["SortieSharedBases"],
 * "model_type": "sortie_shared_bases",
 * "shared_bases": {
 *   "architectures": ["LlamaForCausalLM"],
 *   "model_type": "llama",
 *   "projections": {"self_attn.q_proj": {"layers": 2, "rank": 200}, …}
 * }
 * </pre>
 *
 * The other fields are those of the family. Its own {@code model_type} stands inside, so that a
 * program that does not know shared bases refuses the folder: transformers would otherwise fill the
 * missing matrices with random numbers.
 */
final class SharedBasesFields {
  private static final String MODEL_TYPE = "sortie_shared_bases";
  private static final String ARCHITECTURE = "SortieSharedBases";
  private static final String FIELD = "shared_bases";
  private static final String TYPE = "model_type";
  private static final String ARCHITECTURES = "architectures";
  private static final String PROJECTIONS = "projections";
  private static final String LAYERS = "layers";
  private static final String RANK = "rank";

  private final JsonObject json;
  private final JsonObject shared;

  private SharedBasesFields(JsonObject json) {
    this.json = json;
    this.shared = json.getObject(FIELD);
    shared.refuseUnknown(Set.of(TYPE, ARCHITECTURES, PROJECTIONS));
  }

  /** The fields of a configuration that has them. */
  static Optional<SharedBasesFields> of(JsonObject json) {
    if (MODEL_TYPE.equals(json.fields().get(TYPE))) {
      return Optional.of(new SharedBasesFields(json));
    }
    if (json.has(FIELD)) {
      throw json.error(FIELD, "no such field, or model_type " + MODEL_TYPE);
    }
    return Optional.empty();
  }

  /** The configuration: the family's with the bases. */
  HfConfig read() {
    SequencedMap<String, Object> fields = new LinkedHashMap<>(json.fields());
    fields.remove(FIELD);
    fields.put(TYPE, shared.getString(TYPE));
    fields.put(ARCHITECTURES, shared.getStrings(ARCHITECTURES));
    JsonObject family = Json.parse(json.origin(), Json.compact(fields), JsonLimits.DATA);
    return HfConfigReader.read(family, this::with);
  }

  private DecoderConfig with(DecoderConfig config) {
    JsonObject projections = shared.getObject(PROJECTIONS);
    projections.refuseUnknown(Set.copyOf(SharedBases.names(config)));
    SequencedMap<String, List<Long>> shapes = DecoderTensors.of(config);
    SequencedMap<String, Shared> all = new LinkedHashMap<>();
    for (String name : projections.fields().keySet()) {
      JsonObject one = projections.getObject(name);
      one.refuseUnknown(Set.of(LAYERS, RANK));
      List<Long> shape = shapes.get("model.layers.0." + name + ".weight");
      int layers = one.getInt(LAYERS, 1, config.layers());
      long full = SharedBases.full(layers, shape.get(1), shape.get(0));
      all.put(name, new Shared(layers, one.getInt(RANK, 1, (int) full)));
    }
    if (all.isEmpty()) {
      throw shared.error(PROJECTIONS, "at least one projection");
    }
    return config.withBases(new SharedBases(all));
  }

  /**
   * The fields of a family's configuration, or of one with other bases, with these bases.
   *
   * @param json as read
   * @param fields the same, of which some may have been changed
   */
  static SequencedMap<String, Object> with(
      JsonObject json, Map<String, Object> fields, SharedBases bases) {
    SequencedMap<String, Object> out = new LinkedHashMap<>(fields);
    Map<String, Object> family = (json.has(FIELD) ? json.getObject(FIELD) : json).fields();
    SequencedMap<String, Object> projections = new LinkedHashMap<>();
    bases
        .projections()
        .forEach(
            (name, s) -> projections.put(name, Json.object(LAYERS, s.layers(), RANK, s.rank())));
    out.put(ARCHITECTURES, List.of(ARCHITECTURE));
    out.put(TYPE, MODEL_TYPE);
    out.put(
        FIELD,
        Json.object(
            ARCHITECTURES,
            family.get(ARCHITECTURES),
            TYPE,
            family.get(TYPE),
            PROJECTIONS,
            projections));
    return out;
  }
}

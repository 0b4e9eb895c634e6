package dev.sortie.nn.model;

import dev.sortie.nn.FactoredLinear;
import dev.sortie.nn.model.DecoderSwitches.NormKind;
import dev.sortie.nn.model.DecoderSwitches.QueryKeyNorm;
import dev.sortie.nn.model.DecoderSwitches.Residual;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The names that a {@link Decoder} has for its tensors, whatever a file calls them, and their
 * shapes. They are those of Hugging Face's Llama; others than Llama also have {@code
 * model.embed_positions} and, in a layer, {@code attention_output_norm}, {@code mlp_output_norm},
 * {@code self_attn.q_norm}, {@code self_attn.k_norm} and, of use N of a layer, {@code
 * self_attn.zero_key.N}. {@code input_layernorm} always stands before attention, {@code
 * post_attention_layernorm} before the MLP. {@link SharedBases} names the tensors of projections
 * that share a basis.
 */
public final class DecoderTensors {
  private final DecoderConfig config;
  private final SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();

  private DecoderTensors(DecoderConfig config) {
    this.config = config;
  }

  /** Shapes, outermost dim first, in the order in which the decoder asks for the tensors. */
  public static SequencedMap<String, List<Long>> of(DecoderConfig config) {
    DecoderTensors tensors = new DecoderTensors(config);
    tensors.all();
    return tensors.shapes;
  }

  private void all() {
    long hidden = config.hidden();
    add("model.embed_tokens.weight", config.vocab(), hidden);
    if (config.switches().learnedPositions()) {
      add("model.embed_positions.weight", config.context(), hidden);
    }
    for (int i = 0; i < config.storedLayers(); i++) {
      layer(i, "model.layers." + i + ".");
      zeroKeys(i, "model.layers." + i + ".self_attn.");
    }
    norm("model.norm");
    if (!config.tiedHead()) {
      add("lm_head.weight", config.vocab(), hidden);
    }
  }

  private void layer(int layer, String prefix) {
    Residual r = config.switches().residual();
    boolean before = r != Residual.POST_NORM;
    boolean behind = r == Residual.POST_NORM || r == Residual.BOTH_NORMS;
    if (before) {
      norm(prefix + "input_layernorm");
    }
    attention(layer, prefix + "self_attn.");
    if (behind) {
      norm(prefix + "attention_output_norm");
    }
    if (before) {
      norm(prefix + "post_attention_layernorm");
    }
    if (config.switches().gated()) {
      linear(layer, "mlp.gate_proj", config.ffn(), config.hidden(), config.mlpBias());
    }
    linear(layer, "mlp.up_proj", config.ffn(), config.hidden(), config.mlpBias());
    linear(layer, "mlp.down_proj", config.hidden(), config.ffn(), config.mlpBias());
    if (behind) {
      norm(prefix + "mlp_output_norm");
    }
  }

  /** Behind the layer's other tensors: one for each use. */
  private void zeroKeys(int layer, String prefix) {
    LayerCycle cycle = config.switches().cycle();
    if (cycle.zeroToken() && layer > 0 && layer < config.storedLayers() - 1) {
      for (int use = 0; use < cycle.times(); use++) {
        add(prefix + ZeroToken.name(use), (long) config.kvHeads() * config.headSize());
      }
    }
  }

  private void attention(int layer, String prefix) {
    long queries = (long) config.heads() * config.headSize();
    long keys = (long) config.kvHeads() * config.headSize();
    boolean bias = config.attentionBias();
    linear(layer, "self_attn.q_proj", queries, config.hidden(), bias);
    linear(layer, "self_attn.k_proj", keys, config.hidden(), bias);
    linear(layer, "self_attn.v_proj", keys, config.hidden(), bias);
    linear(layer, "self_attn.o_proj", config.hidden(), queries, config.switches().outputBias());
    QueryKeyNorm what = config.switches().queryKeyNorm();
    if (what != QueryKeyNorm.NONE) {
      add(prefix + "q_norm.weight", what == QueryKeyNorm.HEAD ? config.headSize() : queries);
      add(prefix + "k_norm.weight", what == QueryKeyNorm.HEAD ? config.headSize() : keys);
    }
  }

  private void norm(String name) {
    add(name + ".weight", config.hidden());
    if (config.switches().norm() == NormKind.LAYER) {
      add(name + ".bias", config.hidden());
    }
  }

  private void linear(int layer, String projection, long outputs, long inputs, boolean bias) {
    SharedBases bases = config.switches().bases();
    String name = "model.layers." + layer + "." + projection;
    if (bases.of(projection).isPresent()) {
      SharedBases.Group group = bases.group(projection, layer, config.layers());
      int rank = bases.rank(projection, group, inputs, outputs);
      if (layer == group.from()) {
        add(SharedBases.basis(projection, group), rank, inputs);
      }
      add(name + FactoredLinear.COEFFICIENTS, outputs, rank);
    } else {
      add(name + ".weight", outputs, inputs);
    }
    if (bias) {
      add(name + ".bias", outputs);
    }
  }

  private void add(String name, long size) {
    shapes.put(name, List.of(size));
  }

  private void add(String name, long rows, long columns) {
    shapes.put(name, List.of(rows, columns));
  }
}

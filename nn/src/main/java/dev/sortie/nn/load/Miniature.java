package dev.sortie.nn.load;

import dev.sortie.nn.Weights;
import dev.sortie.nn.Weights.Role;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderSwitches.LayerKind;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model in miniature: a decoder that takes the code paths of a model at a thousandth of the work.
 * It has the model's family, types of weights and head size, and a layer of each kind; all else is
 * as small as the kernels allow, and all weights are alike. Running it makes the JVM compile what
 * the model needs.
 */
public final class Miniature {
  /** Rows of the vocabulary, and elements of a hidden state, where blocks allow that. */
  public static final int SIZE = 64;

  /** Tokens of the longest text. */
  public static final int CONTEXT = 128;

  /**
   * Each byte of the weights: of no type a zero or a number so large that a product is infinite.
   * With zeros alone, kernels would be compiled without what they do with numbers.
   */
  private static final byte FILLING = 0x3c;

  private static final String LAYER = "model.layers.";

  private final DecoderConfig config;
  private final WeightSource weights;
  private final Precision precision;

  /**
   * The model's layers that stand for all: the first of each kind, and one more, since of a prompt
   * the last layer computes one row alone.
   */
  private final List<Integer> layers;

  private Miniature(DecoderConfig config, WeightSource weights, Precision precision) {
    this.config = config;
    this.weights = weights;
    this.precision = precision;
    Map<String, Integer> kinds = new LinkedHashMap<>();
    List<StringBuilder> all = kinds();
    for (int i = 0; i < all.size(); i++) {
      kinds.putIfAbsent(all.get(i).toString(), i);
    }
    List<Integer> first = new ArrayList<>(kinds.values());
    first.add(0);
    this.layers = List.copyOf(first);
  }

  /**
   * The miniature of a model.
   *
   * @param weights the model's, of which names and types are read
   * @param precision how the model will be held
   * @param allocator for the miniature's weights
   */
  public static Decoder of(
      DecoderConfig config, WeightSource weights, Precision precision, Allocator allocator) {
    Miniature m = new Miniature(config, weights, precision);
    Weights filled =
        (name, shape, role) -> {
          Tensor weight = Tensor.allocate(allocator, m.type(name, role), shape);
          weight.span().segment().fill(FILLING);
          return weight;
        };
    return new Decoder(m.narrow(), allocator, filled);
  }

  /** What the kernels of each layer depend on: what it sees, and the types of its weights. */
  private List<StringBuilder> kinds() {
    List<StringBuilder> kinds = new ArrayList<>();
    for (int i = 0; i < config.storedLayers(); i++) {
      LayerKind sees = config.switches().layer(i);
      boolean all = sees.window() == LayerKind.FULL.window();
      kinds.add(new StringBuilder().append(sees.rotation()).append(all));
    }
    weights
        .tensors()
        .forEach(
            (name, info) -> {
              if (name.startsWith(LAYER)) {
                int dot = name.indexOf('.', LAYER.length());
                kinds
                    .get(Integer.parseInt(name, LAYER.length(), dot, 10))
                    .append(name, dot, name.length())
                    .append(info.dtype());
              }
            });
    return kinds;
  }

  private DType type(String name, Role role) {
    boolean matrix = role != Role.NORM && role != Role.BIAS;
    // what is missing is refused when the model is loaded
    return original(name)
        .map(info -> FileWeights.held(info.dtype(), matrix, precision))
        .orElse(DType.F32);
  }

  /** The model's tensor that one of the miniature stands for. */
  private Optional<TensorInfo> original(String name) {
    if (!SharedBases.isBasis(name)) {
      return Optional.ofNullable(weights.tensors().get(nameOfOriginal(name)));
    }
    return weights.tensors().entrySet().stream() // groups of the miniature are others
        .filter(t -> SharedBases.isSameKind(name, t.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private String nameOfOriginal(String name) {
    if (!name.startsWith(LAYER)) {
      return name;
    }
    int dot = name.indexOf('.', LAYER.length());
    return LAYER
        + layers.get(Integer.parseInt(name, LAYER.length(), dot, 10))
        + name.substring(dot);
  }

  private DecoderConfig narrow() {
    int block = 1;
    for (TensorInfo info : weights.tensors().values()) {
      block = Math.max(block, FileWeights.held(info.dtype(), true, precision).block());
    }
    int width = Math.max(SIZE, block);
    int group = config.heads() / config.kvHeads();
    int kvHeads = 1;
    while (kvHeads < config.kvHeads() && group * kvHeads * config.headSize() % block != 0) {
      kvHeads++;
    }
    List<LayerKind> sees = new ArrayList<>();
    if (!config.switches().layers().isEmpty()) {
      layers.forEach(i -> sees.add(config.switches().layers().get(i)));
    }
    return new DecoderConfig(
        layers.size(),
        width,
        group * kvHeads,
        kvHeads,
        config.headSize(),
        width,
        SIZE,
        CONTEXT,
        config.normEps(),
        config.ropeTheta(),
        config.ropeInterleaved(),
        config.attentionBias(),
        config.mlpBias(),
        config.tiedHead(),
        config.switches().withKinds(sees));
  }
}

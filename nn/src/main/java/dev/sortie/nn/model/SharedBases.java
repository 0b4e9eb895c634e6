package dev.sortie.nn.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which projections of a decoder are products of a basis that neighbouring layers share and
 * coefficients of their own (Basis Sharing, arXiv 2410.03765): {@code W_i = C_i B} with B {@code
 * [R, inputs]} and C_i {@code [outputs, R]}, where W_i maps x to {@code x W_iᵀ}.
 *
 * <p>Groups begin at layer 0 and have as many layers as is said; the last one has what is left. The
 * basis of layers f to l is the tensor {@code model.bases.f-l.PROJECTION.weight}, the coefficients
 * of layer i are {@code model.layers.i.PROJECTION.coefficients.weight}.
 *
 * @param projections by the names of {@link #names}; those that are not here have a matrix of their
 *     own in every layer
 */
public record SharedBases(SequencedMap<String, Shared> projections) {
  /** Every projection is a matrix of its own. */
  public static final SharedBases NONE = new SharedBases(new LinkedHashMap<>());

  private static final String BASES = "model.bases.";
  private static final Pattern BASIS =
      Pattern.compile("model\\.bases\\.(\\d{1,9})-(\\d{1,9})\\.(.+)");

  /**
   * How one kind of projection is shared.
   *
   * @param layers most layers that share a basis; 1 if each has its own
   * @param rank most vectors of a basis; a group that is too small for it has fewer
   */
  public record Shared(int layers, int rank) {}

  /**
   * Layers that share a basis.
   *
   * @param from the first, from 0
   * @param to after the last
   */
  public record Group(int from, int to) {
    /** How many they are. */
    public int size() {
      return to - from;
    }
  }

  /** Keeps the order of the projections. */
  public SharedBases {
    projections = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(projections));
  }

  /** The projections of a decoder's layers, by their names within a layer. */
  public static List<String> names(DecoderConfig config) {
    return config.switches().gated()
        ? List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj")
        : List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.up_proj",
            "mlp.down_proj");
  }

  /** Whether nothing is shared. */
  public boolean isNone() {
    return projections.isEmpty();
  }

  /** How a projection is shared; empty if it has a matrix of its own. */
  public Optional<Shared> of(String projection) {
    return Optional.ofNullable(projections.get(projection));
  }

  /**
   * The layers that share a layer's basis of a projection, which must be one of {@link
   * #projections}.
   *
   * @param layers of the decoder
   */
  public Group group(String projection, int layer, int layers) {
    int size = projections.get(projection).layers();
    int from = layer / size * size;
    return new Group(from, (int) Math.min((long) from + size, layers));
  }

  /**
   * The rank of a group's basis.
   *
   * @param inputs K of each layer's matrix
   * @param outputs N of each layer's matrix
   */
  public int rank(String projection, Group group, long inputs, long outputs) {
    return (int) Math.min(projections.get(projection).rank(), full(group.size(), inputs, outputs));
  }

  /**
   * The rank from which on nothing is lost: that of the matrices of a group side by side, {@code
   * min(K, n N)}.
   */
  public static long full(int layers, long inputs, long outputs) {
    return Math.min(inputs, layers * outputs);
  }

  /** The name of a group's basis. */
  public static String basis(String projection, Group group) {
    return BASES + group.from() + "-" + (group.to() - 1) + "." + projection + ".weight";
  }

  /** The layers that share the basis of this name; empty if it is another tensor's. */
  static Optional<Group> group(String tensor) {
    Matcher m = BASIS.matcher(tensor);
    return m.matches()
        ? Optional.of(
            new Group(Integer.parseInt(m.group(1)), Math.addExact(Integer.parseInt(m.group(2)), 1)))
        : Optional.empty();
  }

  /** Whether a tensor of this name is a basis. */
  public static boolean isBasis(String tensor) {
    return BASIS.matcher(tensor).matches();
  }

  /** Whether two tensors are bases of the same kind of projection. */
  public static boolean isSameKind(String tensor, String other) {
    Matcher m = BASIS.matcher(tensor);
    Matcher o = BASIS.matcher(other);
    return m.matches() && o.matches() && m.group(3).equals(o.group(3));
  }
}

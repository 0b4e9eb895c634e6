package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The exits of one backbone, shallow first, at most one at a depth.
 *
 * @param backboneSha256 the backbone that they were tuned for
 * @param checkedBackbones other backbones on which they were measured as they are, such as another
 *     quantisation of the same model
 * @param tuning what they were tuned with, as written into the file; empty if they were not
 * @param exits the exits that decoding may leave at; the last may be a {@link FinalDraft}
 * @param lookahead the exit after the last layer, if there is one; decoding leaves at the others
 *     and drafts with this one
 * @param ngrams how the model's texts continue, to draft with, if the folder has it
 */
public record Exits(
    String backboneSha256,
    List<String> checkedBackbones,
    Map<String, Object> tuning,
    List<Exit> exits,
    Optional<Lookahead> lookahead,
    Optional<NgramTable> ngrams) {

  /** Measured on no other backbone, without n-grams. */
  public Exits(
      String backboneSha256,
      Map<String, Object> tuning,
      List<Exit> exits,
      Optional<Lookahead> lookahead) {
    this(backboneSha256, List.of(), tuning, exits, lookahead, Optional.empty());
  }

  /** Without a lookahead exit. */
  public Exits(String backboneSha256, Map<String, Object> tuning, List<Exit> exits) {
    this(backboneSha256, tuning, exits, Optional.empty());
  }

  public Exits {
    checkedBackbones = List.copyOf(checkedBackbones);
    exits = exits.stream().sorted(Comparator.comparingInt(Exit::depth)).toList();
    tuning = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(tuning));
    for (int i = 1; i < exits.size(); i++) {
      if (exits.get(i).depth() == exits.get(i - 1).depth()) {
        throw new InputException(
            "two exits stand at depth " + exits.get(i).depth() + "; a depth has one exit at most");
      }
    }
  }

  /** No exits, of no backbone: for commands that are given none. */
  public static Exits none() {
    return new Exits("", Map.of(), List.of());
  }

  /** The same, tuned with something else. */
  public Exits with(Map<String, Object> otherTuning) {
    return new Exits(backboneSha256, checkedBackbones, otherTuning, exits, lookahead, ngrams);
  }

  /** The same with other exits to leave at. */
  public Exits with(List<Exit> others) {
    return new Exits(backboneSha256, checkedBackbones, tuning, others, lookahead, ngrams);
  }

  /** The same without n-grams. */
  public Exits withoutNgrams() {
    return new Exits(backboneSha256, checkedBackbones, tuning, exits, lookahead, Optional.empty());
  }

  /** The backbones that they were tuned for, or measured on; the first is the former. */
  public List<String> backbones() {
    return Stream.concat(Stream.of(backboneSha256), checkedBackbones.stream()).toList();
  }

  /**
   * Checks that they were made for the model that is to decode with them.
   *
   * @throws InputException if they read the weights of another one
   */
  public void requireOf(Decoder decoder) {
    Stream<Decoder> backbones =
        Stream.concat(
            exits.stream().map(Exit::backbone), lookahead.stream().map(Lookahead::backbone));
    if (backbones.anyMatch(backbone -> backbone != decoder)) {
      throw new InputException(
          "these exits were read or made with another model; read them with the one that uses them");
    }
  }

  /** Those that stand between layers: all but a {@link FinalDraft}. */
  public List<Exit> betweenLayers() {
    return exits.stream().filter(e -> !e.isBehindLastLayer()).toList();
  }

  /**
   * The first rows of the exits' heads, one of each type, {@code [N, C]}: what kernels can be tried
   * on.
   *
   * @param most rows of each
   */
  public Collection<Tensor> headRows(int most) {
    Map<DType, Tensor> heads = new EnumMap<>(DType.class);
    for (Exit e : exits) {
      Tensor weight = e.head().weight();
      int width = weight.shape().size(1);
      int rows = Math.min(most, weight.shape().size(0));
      Span some = weight.span().slice(0, (long) rows * width);
      heads.put(weight.dtype(), Tensor.of(some, Shape.of(rows, width)));
    }
    return heads.values();
  }

  /** Depths, ascending. */
  public List<Integer> depths() {
    return exits.stream().map(Exit::depth).toList();
  }

  /** Fails unless an exit stands at each of {@code depths}. */
  public static void requireAll(List<Integer> there, List<Integer> depths) {
    for (int depth : depths) {
      if (!there.contains(depth)) {
        throw new InputException(
            "no exit stands after layer "
                + depth
                + "; the exits given stand after layers "
                + there);
      }
    }
  }

  /** Depth of the deepest exit between layers; 0 if there is none. */
  public int deepest() {
    List<Exit> between = betweenLayers();
    return between.isEmpty() ? 0 : between.getLast().depth();
  }
}

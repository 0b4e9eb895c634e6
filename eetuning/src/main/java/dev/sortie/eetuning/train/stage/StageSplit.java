package dev.sortie.eetuning.train.stage;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.parallel.pipeline.BalancedSplit;
import java.util.ArrayList;
import java.util.List;

/**
 * How layers are shared out among the stages of a pipeline. It does not change the result.
 *
 * @param way how it is found
 * @param ends where {@code way} is {@link Way#GIVEN}: the number of layers before the end of each
 *     stage but the last
 */
public record StageSplit(Way way, List<Integer> ends) {
  /** Where the costs of parts come from. */
  public enum Way {
    /** Measured when a run begins, and kept in its folder. */
    MEASURED,
    /** Multiplications counted from shapes. */
    COUNTED,
    /** Told by the user. */
    GIVEN
  }

  /** By counted work. */
  public static final StageSplit COUNTED = new StageSplit(Way.COUNTED, List.of());

  public StageSplit {
    ends = List.copyOf(ends);
  }

  /**
   * By what users write.
   *
   * @param word {@code measured}, {@code counted} or numbers of layers such as {@code 4,8}; null
   *     for the usual way
   * @param pp number of stages
   * @param tp ranks that share the weights of a stage
   */
  public static StageSplit of(String word, int pp, int tp) {
    if (word == null) {
      return tp > 1 ? COUNTED : new StageSplit(Way.MEASURED, List.of());
    }
    if (pp == 1) {
      throw new UsageException("--stage-split " + word + " is for a pipeline; give --pp 2 or more");
    }
    switch (word) {
      case "counted":
        return COUNTED;
      case "measured":
        if (tp > 1) {
          throw new UsageException(
              "--stage-split measured with --tp %d: parts are measured on one rank; take counted or numbers of layers"
                  .formatted(tp));
        }
        return new StageSplit(Way.MEASURED, List.of());
      default:
        return new StageSplit(Way.GIVEN, numbers(word));
    }
  }

  private static List<Integer> numbers(String word) {
    List<Integer> numbers = new ArrayList<>();
    try {
      for (String number : word.split(",", -1)) {
        numbers.add(Integer.parseInt(number.strip()));
      }
    } catch (NumberFormatException e) {
      throw new UsageException(
          "--stage-split '%s': take measured, counted, or the layers after which a stage ends, as in 4,8 for --pp 3"
              .formatted(word),
          e);
    }
    return numbers;
  }

  /**
   * The ends of all pieces of a chain: those given, or else those by which the piece with the most
   * work has the least possible.
   *
   * @param layers that run
   * @param pieces of the chain
   * @param work of a piece
   * @throws InputException if the given ones are not ascending or not as many
   */
  public List<Integer> ends(int layers, int pieces, BalancedSplit.Cost work) {
    return way == Way.GIVEN ? given(layers, pieces) : BalancedSplit.ends(layers, pieces, work);
  }

  private List<Integer> given(int layers, int pieces) {
    List<Integer> all = new ArrayList<>(ends);
    all.add(layers);
    boolean fits = all.size() == pieces;
    for (int i = 0; i < all.size(); i++) {
      fits &= all.get(i) > (i == 0 ? 0 : all.get(i - 1));
    }
    if (!fits) {
      throw new InputException(
          "--stage-split %s: take %d ascending numbers from 1 to %d, one less than the %d parts of %d layers"
              .formatted(
                  String.join(",", ends.stream().map(String::valueOf).toList()),
                  pieces - 1,
                  layers - 1,
                  pieces,
                  layers));
    }
    return all;
  }
}

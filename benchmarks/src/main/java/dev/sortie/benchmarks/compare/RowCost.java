package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Time of a cached pass over some tokens of one sequence.
 *
 * @param rows tokens in the pass
 * @param milliseconds median
 * @param ratio to a pass over one token
 */
public record RowCost(int rows, double milliseconds, double ratio) {
  /** Tokens read before. */
  static final int POSITION = 64;

  private static final int[] ROWS = {1, 2, 4, 8, 16};

  /**
   * Measures passes over 1, 2, 4, 8 and 16 tokens in turns.
   *
   * @throws DisagreementException if the first token's logits depend on how many follow it
   */
  public static List<RowCost> measure(Decoder decoder, Device device, int rounds) {
    return measure(decoder, device, rounds, Side::compiled);
  }

  /** The same with sides made by {@code timing}. */
  static List<RowCost> measure(
      Decoder decoder, Device device, int rounds, Function<Runnable, Side> timing) {
    try (CachedPass pass = new CachedPass(decoder, device, POSITION + ROWS[ROWS.length - 1])) {
      pass.run(ids(decoder, 0, POSITION), 0);
      float[] alone = pass.run(ids(decoder, POSITION, 1), POSITION);
      Side[] sides = new Side[ROWS.length];
      for (int i = 0; i < ROWS.length; i++) {
        int[] ids = ids(decoder, POSITION, ROWS[i]);
        if (!Arrays.equals(alone, pass.run(ids, POSITION))) {
          throw new DisagreementException(
              "logits of a token change when " + (ROWS[i] - 1) + " tokens follow it");
        }
        sides[i] = timing.apply(() -> pass.run(ids, POSITION));
      }
      double[] seconds = Turns.medians(rounds, sides);
      List<RowCost> costs = new ArrayList<>();
      for (int i = 0; i < ROWS.length; i++) {
        costs.add(
            new RowCost(
                ROWS[i],
                Figure.rounded(seconds[i] * 1e3),
                Figure.rounded(seconds[i] / seconds[0])));
      }
      return costs;
    }
  }

  private static int[] ids(Decoder decoder, int from, int count) {
    return IntStream.range(from, from + count)
        .map(i -> (37 * i + 100) % decoder.config().vocab())
        .toArray();
  }
}

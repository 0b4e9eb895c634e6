package dev.sortie.benchmarks.measure;

import dev.sortie.eetuning.eval.Median;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Times several sides in turns, so that a change of the machine's speed meets all of them, and
 * takes medians. Each round begins with another side. Before each sample stands a pause: threads of
 * the other side spin on a core for up to 26 ms after their last work (OpenBLAS) before they sleep.
 */
public final class Turns {
  private static final int PAUSE_MILLIS = 40;

  private Turns() {}

  /** Median seconds of each side over {@code rounds} rounds. */
  public static double[] medians(int rounds, Side... sides) {
    List<Supplier<Double>> all =
        Stream.of(sides).<Supplier<Double>>map(side -> side::seconds).toList();
    return samples(rounds, all).stream()
        .mapToDouble(s -> Median.of(s.stream().mapToDouble(Double::doubleValue)))
        .toArray();
  }

  /** What each side gave in {@code rounds} rounds. */
  public static <T> List<List<T>> samples(int rounds, List<? extends Supplier<? extends T>> sides) {
    List<List<T>> samples = sides.stream().<List<T>>map(side -> new ArrayList<>(rounds)).toList();
    for (int r = 0; r < rounds; r++) {
      for (int i = 0; i < sides.size(); i++) {
        int side = (i + r) % sides.size();
        pause();
        samples.get(side).add(sides.get(side).get());
      }
    }
    return samples;
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    }
  }
}

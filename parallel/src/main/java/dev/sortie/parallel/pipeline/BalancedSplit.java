package dev.sortie.parallel.pipeline;

import java.util.ArrayList;
import java.util.List;

/** Cuts a chain of layers into stages so that the slowest stage is as fast as can be. */
public final class BalancedSplit {
  private BalancedSplit() {}

  /** The cost of a stage. */
  @FunctionalInterface
  public interface Cost {
    /** Of layers {@code from} to {@code to - 1}. */
    double of(int from, int to);
  }

  /**
   * The ends of the stages, each the number of layers before the next stage; the last is {@code
   * layers}. Every stage has a layer. Among equals, later stages are the longer ones.
   *
   * @throws IllegalArgumentException if there are more stages than layers
   */
  public static List<Integer> ends(int layers, int stages, Cost cost) {
    if (stages < 1 || stages > layers) {
      throw new IllegalArgumentException(stages + " stages of " + layers + " layers");
    }
    // best[s][n]: the slowest of s + 1 stages that hold the first n layers
    double[][] best = new double[stages][layers + 1];
    int[][] cut = new int[stages][layers + 1];
    for (int n = 1; n <= layers; n++) {
      best[0][n] = cost.of(0, n);
    }
    for (int s = 1; s < stages; s++) {
      for (int n = s + 1; n <= layers; n++) {
        best[s][n] = Double.POSITIVE_INFINITY;
        for (int c = s; c < n; c++) {
          double slowest = Math.max(best[s - 1][c], cost.of(c, n));
          if (slowest < best[s][n]) {
            best[s][n] = slowest;
            cut[s][n] = c;
          }
        }
      }
    }
    List<Integer> ends = new ArrayList<>();
    int n = layers;
    for (int s = stages - 1; s >= 0; s--) {
      ends.addFirst(n);
      n = cut[s][n];
    }
    return List.copyOf(ends);
  }
}

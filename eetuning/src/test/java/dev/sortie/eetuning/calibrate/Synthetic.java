package dev.sortie.eetuning.calibrate;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Made-up sequences whose tokens depend on each other: each sequence has a difficulty of its own,
 * and in a hard one confident exits are wrong more often.
 */
final class Synthetic {
  static final List<Integer> DEPTHS = List.of(4, 8);
  private static final int TOKENS = 40;

  private Synthetic() {}

  static Trajectory sequence(SplittableRandom random) {
    double difficulty = random.nextDouble() < 0.15 ? 1.6 : 0.5;
    double[][] confidence = new double[2][TOKENS];
    double[][] loss = new double[2][TOKENS];
    for (int e = 0; e < 2; e++) {
      for (int t = 0; t < TOKENS; t++) {
        double c = Math.pow(random.nextDouble(), e == 0 ? 1.5 : 0.7);
        confidence[e][t] = c;
        // the deeper exit is better calibrated
        double wrong = Math.min(1, difficulty * (e == 0 ? 0.5 : 0.25) * (1 - c));
        loss[e][t] = random.nextDouble() < wrong ? 1 : 0;
      }
    }
    return new Trajectory(10, DEPTHS, confidence, loss);
  }

  static List<Trajectory> sequences(int count, SplittableRandom random) {
    List<Trajectory> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(sequence(random));
    }
    return list;
  }
}

package dev.sortie.eetuning;

/** Probabilities by definition, in F64. */
public final class Softmax {
  private Softmax() {}

  /** Those of logits at temperature 1. */
  public static double[] of(float[] z) {
    double max = Double.NEGATIVE_INFINITY;
    for (float x : z) {
      max = Math.max(max, x);
    }
    double[] p = new double[z.length];
    double sum = 0;
    for (int i = 0; i < z.length; i++) {
      p[i] = Math.exp(z[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }
}

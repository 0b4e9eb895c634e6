package dev.sortie.eetuning.decode.speculative;

/**
 * Corrects the probabilities that a source gives its drafts by what came of earlier ones: at each
 * place they are multiplied by the ratio of the right draft tokens to those promised, older ones
 * fading.
 */
final class DraftCalibration {
  private static final double FADING = 0.98;

  /** Weight of the assumption that promises are kept, in drafts. */
  private static final double ASSUMED = 4;

  /** Places told apart, the last for all that follow: a source unrolls worse than it believes. */
  private static final int PLACES = 3;

  private static final double MOST = 0.98;

  private final double[] promised = new double[PLACES];
  private final double[] right = new double[PLACES];

  /** Of a draft the first {@code count} tokens were right, and the next, if any, was not. */
  void compared(Draft draft, int count) {
    double[] said = draft.probabilities();
    for (int i = 0; i < Math.min(said.length, count + 1); i++) {
      int place = Math.min(i, PLACES - 1);
      promised[place] = FADING * promised[place] + said[i];
      right[place] = FADING * right[place] + (i < count ? 1 : 0);
    }
  }

  /** Expected number of right tokens in the first 0, 1 … tokens of a draft. */
  double[] expected(Draft draft) {
    double[] said = draft.probabilities();
    double[] sums = new double[said.length + 1];
    double all = 1;
    for (int i = 0; i < said.length; i++) {
      int place = Math.min(i, PLACES - 1);
      double ratio = (right[place] + ASSUMED) / (promised[place] + ASSUMED);
      all *= Math.clamp(said[i] * ratio, 0, MOST);
      sums[i + 1] = sums[i] + all;
    }
    return sums;
  }
}

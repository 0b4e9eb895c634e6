package dev.sortie.eetuning.decode.policy;

/** Leaves when the confidence reaches one threshold for all exits; at 1 never, at 0 always. */
public interface ThresholdPolicy extends ExitPolicy {

  /** 0 to 1. */
  double threshold();

  /** At a threshold of 1 no, also where rounding makes a confidence exactly 1. */
  @Override
  default boolean exits(int depth, double confidence) {
    return !never() && confidence >= threshold();
  }

  @Override
  default boolean never() {
    return threshold() >= 1;
  }
}

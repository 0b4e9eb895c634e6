import dev.sortie.eetuning.exercise.ExitRule;

/** Write both bodies, then run: ./sortie exercise exit-rule */
public class MyExitRule implements ExitRule {

  // largest: the eight largest probabilities that an exit gives to tokens, falling
  // To return: how sure the exit is of its most likely token, 0 to 1
  @Override
  public double confidence(double[] largest) {
    throw new UnsupportedOperationException("confidence is not written yet");
  }

  // Whether the token leaves here. threshold: 0 to 1; at 0 every token leaves, at 1 none
  @Override
  public boolean exits(double confidence, double threshold) {
    throw new UnsupportedOperationException("exits is not written yet");
  }
}

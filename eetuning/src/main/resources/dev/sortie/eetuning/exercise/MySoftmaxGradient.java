import dev.sortie.eetuning.exercise.SoftmaxGradient;

/** Write the body, then run: ./sortie exercise softmax-gradient */
public class MySoftmaxGradient implements SoftmaxGradient {

  // y:  what softmax gave for one row of numbers x: y_i = e^x_i / Σ_j e^x_j
  // dy: the gradient of the loss with respect to y
  // To return: the gradient of the loss with respect to x, in a new array
  @Override
  public double[] backward(double[] y, double[] dy) {
    throw new UnsupportedOperationException("not written yet");
  }
}

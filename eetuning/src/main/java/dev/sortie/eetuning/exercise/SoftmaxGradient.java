package dev.sortie.eetuning.exercise;

/** To write: the gradient of softmax, {@code y_i = e^x_i / Σ_j e^x_j}. */
public interface SoftmaxGradient {

  /**
   * The gradient of a loss with respect to the inputs of softmax.
   *
   * @param y what softmax gave for one row, {@code [N]}; not to be changed
   * @param dy the gradient of the loss with respect to {@code y}, {@code [N]}; not to be changed
   * @return the gradient of the loss with respect to {@code x}, {@code [N]}
   */
  double[] backward(double[] y, double[] dy);
}

package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.PromptStates;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * One vector for a prompt: the mean of the final norm's output over all of its tokens, the token
 * that begins a text among them, divided by its length. Read by one thread, and then by another.
 */
public final class PromptEmbedding implements PromptStates {
  private final Decoder decoder;
  private final double[] sum;

  /** The embedding of a prompt that is to be read. */
  public PromptEmbedding(Decoder decoder) {
    this.decoder = decoder;
    this.sum = new double[decoder.config().hidden()];
  }

  @Override
  public synchronized void read(Ops ops, int first, Tensor states) {
    Tensor normed = decoder.finalNorm().apply(ops, states);
    for (int row = 0; row < states.shape().rows(); row++) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += normed.span().get((long) row * sum.length + i);
      }
    }
  }

  /** The vector, {@code [C]}, of Euclidean length 1; zero if no token was read. */
  public synchronized float[] vector() {
    double squares = 0;
    for (double x : sum) {
      squares += x * x;
    }
    double length = squares == 0 ? 1 : StrictMath.sqrt(squares);
    float[] vector = new float[sum.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (sum[i] / length);
    }
    return vector;
  }
}

package dev.sortie.eetuning.train.rank;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;
import java.util.Map;

/**
 * The norm of the gradients of all stages and shares, each number counted once: squares are added
 * by the order of the parameters, those of a parameter by the order of the ranks that share it,
 * wherever they are.
 *
 * @param names of all parameters, the same on all ranks
 * @param own those that this rank answers for
 */
public record GlobalNorm(ProcessGroups groups, List<String> names, Map<String, ShardedTensor> own) {

  /** The norm, the same on all ranks. A collective call. */
  public double of(Kernels kernels, Gradients gradients) {
    int ranks = groups.mesh().tp();
    double[] squares = new double[names.size() * ranks];
    if (groups.coordinates().dp() == 0) { // replicas have the same
      for (int i = 0; i < names.size(); i++) {
        ShardedTensor mine = own.get(names.get(i));
        if (mine != null && mine.portion().first()) {
          squares[i * ranks + groups.coordinates().tp()] =
              kernels.sumSquares(gradients.of(mine.tensor()).span());
        }
      }
    }
    double sum = 0;
    for (double square : groups.merge(squares)) {
      sum += square;
    }
    return Math.sqrt(sum);
  }
}

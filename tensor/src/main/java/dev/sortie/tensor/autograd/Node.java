package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Producer;
import dev.sortie.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * One executed op in the graph: what the backward pass needs of it.
 *
 * @param op the op
 * @param inputs its inputs; those that need gradients lead on
 * @param output its result, without a node of its own
 * @param saved what the forward pass kept, such as a log-sum-exp
 */
public record Node(Op op, List<Tensor> inputs, Tensor output, List<Tensor> saved)
    implements Producer {

  /** The op that produced a tensor; empty for a leaf and where no gradient flows. */
  static Optional<Node> of(Tensor x) {
    return x.producer().map(Node.class::cast);
  }
}

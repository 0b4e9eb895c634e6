package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;
import java.util.List;

/**
 * One executed op in the graph: what the backward pass needs of it.
 *
 * @param op the op
 * @param inputs its inputs; those that need gradients lead on
 * @param output its result, without a node of its own
 * @param saved what the forward pass kept, such as a log-sum-exp
 */
public record Node(Op op, List<Tensor> inputs, Tensor output, List<Tensor> saved) {}

package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;

/**
 * A differentiable operation: a small record with its shape rule, its forward and its vjp
 * (vector-Jacobian product). This list is the table of all there are; a test fails when one of them
 * has no finite-difference case. {@link ForeignOp} is where other modules add theirs.
 *
 * <pre>
 * op               forward                                   vjp, given dy
 * Add              y = a + b                                 da += dy, db += dy
 * Mul              y = a b                                   da += dy b, db += dy a
 * Scale            y = c x                                   dx += c dy
 * Dropout          y = x m, m = 0 or 1 / (1 - p)             dx += dy m; m is drawn again (DropoutMask)
 * Sum              y = Σ x                                   dx += dy
 * Linear           y = x Wᵀ + b                              dx += dy W, dW += dyᵀ x, db += Σ rows dy
 * Embedding        y = W[ids]                                dW[ids] += dy
 * RmsNorm          y = x w / rms(x)                          Zhang and Sennrich, arXiv 1910.07467
 * LayerNorm        y = (x - mean) w / std + b                Ba et al., arXiv 1607.06450
 * Rope             rotate pairs by position                  rotate back
 * Attention        softmax(scale q kᵀ, causal) v             recomputed from the log-sum-exp (arXiv 2205.14135)
 * ZeroTokenAttention  the same with key 0, value 0 more    by way of the gradient of the log-sum-exp
 * SwiGlu           y = silu(g) u                             dg += dy u silu'(g), du += dy silu(g)
 * Gelu             y = x Φ(x)                                dx += dy (Φ(x) + x φ(x))
 * Softmax          y = softmax(x)                            dx += y (dy - Σ y dy)
 * CrossEntropy     l = lse(x) - x[target]                    dx += dl (softmax(x) - onehot)
 * Kl               l = KL(softmax(t) ‖ softmax(x))           dx += dl (softmax(x) - softmax(t))
 * LinearCrossEntropy  Σ w (lse(z) - z[target]), z = x Wᵀ    dx, dW computed with the loss, times dy
 * LinearKl         Σ w KL(softmax(h Uᵀ) ‖ softmax(x Wᵀ))     the same, for several students x, W
 * Contiguous       copy of a view                            dx += dy
 * Reshape, Permute, Slice, Broadcast: the same elements seen otherwise; the adjoint adds back through the same view
 * </pre>
 */
public sealed interface Op
    permits ElementwiseOps.Add,
        ElementwiseOps.Mul,
        ElementwiseOps.Scale,
        ElementwiseOps.Dropout,
        ElementwiseOps.Sum,
        ElementwiseOps.SwiGlu,
        ElementwiseOps.Gelu,
        MatrixOps.Linear,
        MatrixOps.Embedding,
        NormOps.RmsNorm,
        NormOps.LayerNorm,
        AttentionOps.Rope,
        AttentionOps.Attention,
        AttentionOps.ZeroTokenAttention,
        LossOps.Softmax,
        LossOps.CrossEntropy,
        LossOps.Kl,
        HeadLosses.LinearCrossEntropy,
        HeadLosses.LinearKl,
        ViewOps.Contiguous,
        ViewOp,
        ForeignOp {

  /**
   * The shape of the result.
   *
   * @throws IllegalArgumentException if the inputs do not fit together, naming their shapes
   */
  Shape shape(List<Tensor> in);

  /** Shapes of what the forward pass keeps for the vjp, in the type of the result. */
  default List<Shape> saved(List<Tensor> in) {
    return List.of();
  }

  /** Computes {@code node.output()} (and {@code node.saved()}) from the inputs. */
  void forward(Kernels k, Node node);

  /**
   * Adds to the gradient of each input that wants one, given {@code dy}, the gradient of the
   * output.
   */
  void vjp(Kernels k, Node node, Tensor dy, Sink sink);

  /** Name for messages. */
  default String name() {
    return getClass().getSimpleName();
  }
}

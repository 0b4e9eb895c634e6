package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * One AdamW step (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2): {@code g = gradScale *
 * grad; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g²; p = p - lr * (m / correction1 / (sqrt(v /
 * correction2) + eps) + weightDecay * p)}.
 *
 * @param learningRate step size
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root
 * @param weightDecay decoupled decay
 * @param correction1 {@code 1 - beta1^step}
 * @param correction2 {@code 1 - beta2^step}
 * @param gradScale factor on the gradient (clipping, averaging)
 */
public record AdamWCall(
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double correction1,
    double correction2,
    double gradScale) {

  /**
   * One tensor's step; all spans of one type, F32 or F64, and of equal length.
   *
   * @param param changed in place
   * @param grad its gradient
   * @param m first moment, changed in place
   * @param v second moment, changed in place
   * @param options the step
   */
  public record Update(Span param, Span grad, Span m, Span v, AdamWCall options) {
    public Update {
      Operands.alike("adamW", param, grad, m, v);
    }
  }

  /** {@link Kernels#adamW}: the steps of several tensors, of one type. */
  public record Step(List<Update> updates) implements KernelCall {
    public Step {
      for (Update u : updates) {
        Operands.check("adamW", u.param(), updates.getFirst().param().dtype(), 0);
      }
    }

    @Override
    public String name() {
      return "adamW";
    }

    @Override
    public DType dtype() {
      return updates.isEmpty() ? DType.F32 : updates.getFirst().param().dtype();
    }

    @Override
    public Step bind(Binding b) {
      return new Step(
          updates.stream()
              .map(
                  u ->
                      new Update(
                          b.update(u.param()),
                          b.read(u.grad()),
                          b.update(u.m()),
                          b.update(u.v()),
                          u.options()))
              .toList());
    }
  }
}

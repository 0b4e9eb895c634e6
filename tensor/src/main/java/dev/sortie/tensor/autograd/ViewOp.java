package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.Strided;
import java.util.List;

/**
 * An op that moves nothing: its result is another view of its input's storage. The vjp adds through
 * the same view of the gradient.
 */
public sealed interface ViewOp extends Op
    permits ViewOps.Reshape, ViewOps.Permute, ViewOps.Slice, ViewOps.Broadcast {

  /**
   * The view of a tensor that lies as {@code in} says.
   *
   * @param in layout of the input
   * @return the layout of the result, and where it begins relative to the input
   */
  Placed place(Strided in);

  /**
   * Where a view lies.
   *
   * @param offset first element relative to the input's first
   * @param layout shape and strides
   */
  record Placed(long offset, Strided layout) {}

  /** The result: a view of {@code x}. */
  default Tensor apply(Tensor x) {
    Placed p = place(x.layout());
    return x.view(Shape.of(p.layout().shape()), x.offset() + p.offset(), p.layout());
  }

  @Override
  default void forward(Kernels k, Node node) {
    // nothing to compute: the output shares the input's elements
  }

  @Override
  default void vjp(Kernels k, Node node, Tensor dy, Sink sink) {
    if (sink.wants(0)) {
      Placed p = place(Strided.contiguous(node.inputs().get(0).shape().dims()));
      var dx = sink.add(0);
      k.addStrided(dy.span(), dx.slice(p.offset(), dx.length() - p.offset()), p.layout());
    }
  }

  @Override
  default Shape shape(List<Tensor> in) {
    return Shape.of(place(in.get(0).layout()).layout().shape());
  }
}

package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.Strided;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Other views of the same elements, and the copy that makes a view contiguous. */
final class ViewOps {
  private ViewOps() {}

  /** The same elements in row-major order under another shape; the input is contiguous. */
  record Reshape(Shape to) implements ViewOp {
    @Override
    public Tensor apply(Tensor x) {
      check(x.shape());
      return Tensor.of(x.span(), to);
    }

    @Override
    public Placed place(Strided in) {
      check(Shape.of(in.shape()));
      return new Placed(0, Strided.contiguous(to.dims()));
    }

    private void check(Shape from) {
      if (from.count() != to.count()) {
        throw new IllegalArgumentException(
            "Reshape: "
                + from
                + " has "
                + from.count()
                + " elements, "
                + to
                + " has "
                + to.count());
      }
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        sink.pass(0, Tensor.of(dy.span(), n.inputs().get(0).shape()));
      }
    }
  }

  /** Dims in another order: result dim {@code i} is input dim {@code order[i]}. */
  record Permute(List<Integer> order) implements ViewOp {
    @Override
    public Placed place(Strided in) {
      long[] shape = in.shape();
      long[] strides = in.strides();
      if (!order.stream()
          .sorted()
          .toList()
          .equals(IntStream.range(0, shape.length).boxed().toList())) {
        throw new IllegalArgumentException(
            "Permute: "
                + order
                + " is no order of the "
                + shape.length
                + " dims of "
                + Arrays.toString(shape));
      }
      long[] s = new long[shape.length];
      long[] t = new long[shape.length];
      for (int i = 0; i < s.length; i++) {
        s[i] = shape[order.get(i)];
        t[i] = strides[order.get(i)];
      }
      return new Placed(0, new Strided(s, t));
    }
  }

  /** {@code count} neighbours along one dim. */
  record Slice(int dim, long from, long count) implements ViewOp {
    @Override
    public Placed place(Strided in) {
      long[] shape = in.shape();
      if (dim < 0 || dim >= shape.length || from < 0 || count < 0 || count > shape[dim] - from) {
        throw new IllegalArgumentException(
            "Slice: "
                + count
                + " from "
                + from
                + " on of dim "
                + dim
                + " is outside "
                + Arrays.toString(shape));
      }
      shape[dim] = count;
      return new Placed(from * in.strides()[dim], new Strided(shape, in.strides()));
    }
  }

  /** Repeats dims of size 1, and adds dims in front, without copying. */
  record Broadcast(Shape to) implements ViewOp {
    @Override
    public Placed place(Strided in) {
      int extra = to.rank() - in.shape().length;
      if (extra < 0 || !Shape.broadcast(Shape.of(in.shape()), to).equals(to)) {
        throw new IllegalArgumentException(
            "Broadcast: " + Arrays.toString(in.shape()) + " does not broadcast to " + to);
      }
      long[] strides = new long[to.rank()];
      for (int i = extra; i < strides.length; i++) {
        strides[i] = in.shape()[i - extra] == 1 ? 0 : in.strides()[i - extra];
      }
      return new Placed(0, new Strided(to.dims(), strides));
    }
  }

  /** A copy without gaps. */
  record Contiguous() implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.get(0).shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      Tensor x = n.inputs().get(0);
      k.copyStrided(x.base(), x.layout(), n.output().span());
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (sink.wants(0)) {
        sink.pass(0, dy);
      }
    }
  }
}

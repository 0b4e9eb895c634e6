package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * A head and a loss in one: hidden states go in, a weighted sum of losses comes out, and the logits
 * of no more than {@code chunk} rows are in memory at any time.
 *
 * <p>All that a vjp adds to them is one factor, the gradient of the sum. So the forward pass, while
 * it holds a chunk of logits, also computes the gradients of hidden states and heads, and the vjp
 * only multiplies them by that number: exact for any use of the sum.
 */
final class HeadLosses {
  /**
   * Bytes of logits at a time, as long as rows stay between {@link #FEWEST} and {@link #MOST}. Zen
   * 4, two threads, whole op, milliseconds (best of a run): V 4096, C 256, 2048 rows: 128 rows
   * 77.5, 256 72.0, 512 67.3, all 68.4. V 49152, C 576, 1024 rows: 128 rows 1107, 256 986, 512 960,
   * all 938. Few rows cost a pass over dW for each chunk.
   */
  private static final long CHUNK_BYTES = 64L << 20;

  private static final int FEWEST = 128;
  private static final int MOST = 512;

  private HeadLosses() {}

  /** Rows of a chunk for {@code vocab} logits per row. Does not depend on threads. */
  static int chunk(long vocab) {
    return Math.clamp(CHUNK_BYTES / (4 * Math.max(1, vocab)) / 16 * 16, FEWEST, MOST);
  }

  private static boolean wants(Tensor input) {
    return input.needsGrad() && !NoGrad.isOn();
  }

  /** Room for the gradient of an input, none if it wants none. */
  private static Shape room(Tensor input) {
    return wants(input) ? input.shape() : Shape.of(0);
  }

  private static void checkHead(String op, Tensor x, Tensor w) {
    if (x.shape().rank() < 1
        || w.shape().rank() != 2
        || x.shape().dim(-1) != w.shape().dim(1)
        || x.shape().rows() < 1) {
      throw new IllegalArgumentException(
          op + ": hidden states " + x.shape() + " do not fit head " + w.shape());
    }
  }

  private static void checkRows(String op, String what, Tensor rows, Tensor x) {
    if (!rows.shape().equals(x.shape().dropLast())) {
      throw new IllegalArgumentException(
          op + ": " + what + " " + rows.shape() + " do not fit hidden states " + x.shape());
    }
  }

  /**
   * One head over one chunk of rows.
   *
   * @param x hidden states {@code [R, C]}
   * @param w head {@code [V, C]}
   * @param logits room for a chunk
   * @param dx gradient of x, or of length 0
   * @param dw gradient of w, or of length 0
   */
  private record Head(Tensor x, Tensor w, Span logits, Span dx, Span dw) {
    int width() {
      return x.shape().size(-1);
    }

    int vocab() {
      return w.shape().size(0);
    }

    private Span rows(Span all, int from, int count) {
      return all.slice((long) from * width(), (long) count * width());
    }

    void forward(Kernels k, int from, int count) {
      k.linear(rows(x.span(), from, count), w.span(), null, logits, count, vocab(), width());
    }

    /** From the gradient of the logits, which stands in their place. */
    void backward(Kernels k, int from, int count) {
      if (dx.length() > 0) {
        Span to = rows(dx, from, count);
        k.gemm(false, false, count, width(), vocab(), logits, w.span(), to, false);
      }
      if (dw.length() > 0) {
        Span in = rows(x.span(), from, count);
        k.gemm(true, false, vocab(), width(), count, logits, in, dw, from > 0);
      }
    }
  }

  /**
   * {@code Σ_r weight[r] (lse(z_r) - z_r[target_r])}, {@code z = x Wᵀ}; inputs x {@code [.., C]}, W
   * {@code [V, C]}, targets I32 {@code [..]} (negative: nothing to predict), weights {@code [..]}.
   * Saved: losses and weights of the rows, logits, dx, dW.
   *
   * @param confident weigh each row also by its largest probability, through which no gradient
   *     flows
   * @param chunk rows at a time
   */
  record LinearCrossEntropy(boolean confident, int chunk) implements Op {
    @Override
    public Shape shape(List<Tensor> in) {
      checkHead(name(), in.get(0), in.get(1));
      checkRows(name(), "targets", in.get(2), in.get(0));
      checkRows(name(), "weights", in.get(3), in.get(0));
      if (in.get(2).dtype() != DType.I32) {
        throw new IllegalArgumentException(name() + ": targets must be I32, got " + in.get(2));
      }
      return Shape.of();
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      Shape rows = in.get(2).shape();
      long most = Math.min(chunk, rows.count());
      Shape logits = Shape.of(most, in.get(1).shape().dim(0));
      return List.of(rows, rows, logits, room(in.get(0)), room(in.get(1)));
    }

    @Override
    public void forward(Kernels k, Node n) {
      Span loss = n.saved().get(0).span();
      Span weight = n.saved().get(1).span();
      Head head =
          new Head(
              n.inputs().get(0),
              n.inputs().get(1),
              n.saved().get(2).span(),
              n.saved().get(3).span(),
              n.saved().get(4).span());
      Span targets = n.inputs().get(2).span();
      k.copy(n.inputs().get(3).span(), weight);
      int rows = (int) loss.length();
      for (int from = 0; from < rows; from += chunk) {
        int count = Math.min(chunk, rows - from);
        head.forward(k, from, count);
        k.crossEntropyGradient(
            head.logits,
            targets.slice(from, count),
            weight.slice(from, count),
            loss.slice(from, count),
            count,
            head.vocab(),
            confident);
        head.backward(k, from, count);
      }
      n.output().span().set(0, weight.dot(loss));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      sink.scaled(0, k, dy.item(), n.saved().get(3));
      sink.scaled(1, k, dy.item(), n.saved().get(4));
    }
  }

  /**
   * For each of several students {@code i}: {@code Σ_r weight[r] KL(softmax(t_r) ‖ softmax(z_r))},
   * {@code z = x_i W_iᵀ}, {@code t = h Uᵀ}; the teacher's logits are computed once for all. Inputs
   * x {@code [.., C]} and W {@code [V, C]} of each student, then the teacher's h {@code [.., C]},
   * its U {@code [V, C]} and weights {@code [..]}. Result {@code [students]}; the teacher gets no
   * gradient. Saved: losses and weights {@code [students, rows]}, the teacher's log-probabilities
   * and probabilities, logits, then dx and dW of each student.
   *
   * @param confident weigh each row also by the student's own largest probability, through which no
   *     gradient flows
   * @param chunk rows at a time
   */
  record LinearKl(boolean confident, int chunk) implements Op {
    private static final int FIRST_GRADIENT = 5;

    private static int students(List<Tensor> in) {
      return (in.size() - 3) / 2;
    }

    @Override
    public Shape shape(List<Tensor> in) {
      int students = students(in);
      Tensor weights = in.getLast();
      for (int i = 0; i <= students; i++) {
        Tensor x = in.get(2 * i);
        Tensor w = in.get(2 * i + 1);
        checkHead(name(), x, w);
        checkRows(name(), "weights", weights, x);
        if (w.shape().dim(0) != in.get(1).shape().dim(0)) {
          throw new IllegalArgumentException(
              name() + ": heads " + in.get(1).shape() + " and " + w.shape() + " differ in V");
        }
      }
      return Shape.of(students);
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      Shape rows = Shape.of(students(in), in.getLast().shape().count());
      Shape logits = Shape.of(Math.min(chunk, rows.dim(1)), in.get(1).shape().dim(0));
      List<Shape> shapes = new ArrayList<>(List.of(rows, rows, logits, logits, logits));
      for (Tensor student : in.subList(0, 2 * students(in))) {
        shapes.add(room(student));
      }
      return shapes;
    }

    @Override
    public void forward(Kernels k, Node n) {
      List<Tensor> in = n.inputs();
      int students = students(in);
      Span loss = n.saved().get(0).span();
      Span weight = n.saved().get(1).span();
      Span logP = n.saved().get(2).span();
      Span p = n.saved().get(3).span();
      Span none = p.slice(0, 0);
      Head teacher = new Head(in.get(2 * students), in.get(2 * students + 1), logP, none, none);
      List<Head> heads = new ArrayList<>();
      int rows = (int) in.getLast().shape().count();
      for (int i = 0; i < students; i++) {
        Span dx = n.saved().get(FIRST_GRADIENT + 2 * i).span();
        Span dw = n.saved().get(FIRST_GRADIENT + 2 * i + 1).span();
        heads.add(new Head(in.get(2 * i), in.get(2 * i + 1), n.saved().get(4).span(), dx, dw));
        k.copy(in.getLast().span(), weight.slice((long) i * rows, rows));
      }
      for (int from = 0; from < rows; from += chunk) {
        int count = Math.min(chunk, rows - from);
        teacher.forward(k, from, count);
        k.logSoftmax(logP, p, count, teacher.vocab());
        for (int i = 0; i < students; i++) {
          long at = (long) i * rows + from;
          Head head = heads.get(i);
          head.forward(k, from, count);
          k.klGradient(
              head.logits,
              logP,
              p,
              weight.slice(at, count),
              loss.slice(at, count),
              count,
              head.vocab(),
              confident);
          head.backward(k, from, count);
        }
      }
      for (int i = 0; i < students; i++) {
        long at = (long) i * rows;
        n.output().span().set(i, weight.slice(at, rows).dot(loss.slice(at, rows)));
      }
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      for (int i = 0; i < 2 * students(n.inputs()); i++) {
        sink.scaled(i, k, dy.span().get(i / 2), n.saved().get(FIRST_GRADIENT + i));
      }
    }
  }
}

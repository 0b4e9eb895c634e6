package dev.sortie.parallel.shard;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Node;
import dev.sortie.tensor.autograd.Sink;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * A head whose rows are shared out, and a loss, in one: {@link VocabLosses} over some rows at a
 * time, with the gradients of hidden states and head computed on the way, as {@code
 * Ops.linearCrossEntropy} and {@code Ops.linearKl} do on one rank. One all-gather for each chunk of
 * rows and student.
 */
final class VocabHeads {
  /**
   * Bytes of logits at a time: on one rank twice as much, but here their gradient needs as much
   * again.
   */
  private static final long CHUNK_BYTES = 32L << 20;

  private static final int FEWEST = 128;
  private static final int MOST = 512;

  private VocabHeads() {}

  /** Rows of a chunk: the same on all ranks, for they exchange as many numbers. */
  static int chunk(long widest) {
    return Math.clamp(CHUNK_BYTES / (4 * widest) / 16 * 16, FEWEST, MOST);
  }

  private static Shape room(Tensor input) {
    return input.needsGrad() && !NoGrad.isOn() ? input.shape() : Shape.of(0);
  }

  private static void check(String op, ShardRange vocab, Tensor x, Tensor w, Tensor weights) {
    if (x.shape().rank() < 1
        || w.shape().rank() != 2
        || x.shape().dim(-1) != w.shape().dim(1)
        || w.shape().dim(0) != vocab.count()
        || x.shape().rows() < 1) {
      throw new IllegalArgumentException(
          "%s: hidden states %s do not fit head %s, of which this rank has %d rows"
              .formatted(op, x.shape(), w.shape(), vocab.count()));
    }
    if (!weights.shape().equals(x.shape().dropLast())) {
      throw new IllegalArgumentException(
          "%s: weights %s do not fit hidden states %s".formatted(op, weights.shape(), x.shape()));
    }
  }

  /** This rank's rows of a head over one chunk of hidden states; lengths 0 where unwanted. */
  private record Head(Tensor x, Tensor w, Span dx, Span dw) {
    int width() {
      return x.shape().size(-1);
    }

    int vocab() {
      return w.shape().size(0);
    }

    Span rows(Span all, int from, int count) {
      return all.slice((long) from * width(), (long) count * width());
    }

    void forward(Kernels k, int from, int count, Span logits) {
      k.linear(rows(x.span(), from, count), w.span(), null, logits, count, vocab(), width());
    }

    void backward(Kernels k, int from, int count, Span dlogits) {
      if (dx.length() > 0) {
        Span to = rows(dx, from, count);
        k.gemm(false, false, count, width(), vocab(), dlogits, w.span(), to, false);
      }
      if (dw.length() > 0) {
        Span in = rows(x.span(), from, count);
        k.gemm(true, false, vocab(), width(), count, dlogits, in, dw, from > 0);
      }
    }

    boolean isTrained() {
      return dx.length() > 0 || dw.length() > 0;
    }
  }

  /** This rank's largest logit of each row, for the largest probability. */
  private static void largest(Kernels k, Span logits, Span index, Span lse, Span to, int cols) {
    int rows = Math.toIntExact(to.length());
    k.argmax(logits, index, lse, rows, cols);
    for (int r = 0; r < rows; r++) {
      to.set(r, logits.get((long) r * cols + index.getInt(r)));
    }
  }

  private static void weighBy(RowStatistics statistics, int kind, Span lse, Span weight) {
    for (int r = 0; r < statistics.rows(); r++) {
      double p = StrictMath.exp(statistics.max(kind, r) - lse.get(r));
      weight.set(r, weight.get(r) * p);
    }
  }

  /**
   * {@code Σ_r weight[r] loss[r]}. Inputs x {@code [.., C]}, W {@code [part of V, C]}, targets I32
   * {@code [..]}, {@link LocalTargets}, weights {@code [..]} and room for I32 {@code [chunk]}.
   * Saved: losses and weights of the rows, log-sum-exps, logits and their gradient, what is
   * exchanged, dx, dW.
   *
   * @param total V
   * @param confident weigh each row also by its largest probability, without gradient
   * @param chunk rows at a time
   */
  record LinearCrossEntropy(ShardGroup group, long total, boolean confident, int chunk)
      implements ShardOp {
    private int kinds() {
      return VocabLosses.CrossEntropyRows.KINDS + (confident ? 1 : 0);
    }

    @Override
    public Shape shape(List<Tensor> in) {
      check(name(), group.range(total), in.get(0), in.get(1), in.get(4));
      if (in.get(2).dtype() != DType.I32 || !in.get(2).shape().equals(in.get(4).shape())) {
        throw new IllegalArgumentException(
            "%s: targets %s do not fit weights %s".formatted(name(), in.get(2), in.get(4)));
      }
      return Shape.of();
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      Shape rows = in.get(4).shape();
      long most = Math.min(chunk, rows.count());
      Shape logits = Shape.of(most, in.get(1).shape().dim(0));
      Shape gradient = room(in.get(0)).count() + room(in.get(1)).count() > 0 ? logits : Shape.of(0);
      List<Shape> shapes = new ArrayList<>(List.of(rows, rows, Shape.of(most), logits, gradient));
      shapes.addAll(RowStatistics.shapes(group, kinds(), most));
      shapes.add(room(in.get(0)));
      shapes.add(room(in.get(1)));
      return shapes;
    }

    @Override
    public void forward(Kernels k, Node n) {
      List<Tensor> in = n.inputs();
      Span loss = kept(n, 0);
      Span weight = kept(n, 1);
      Head head = new Head(in.get(0), in.get(1), kept(n, 7), kept(n, 8));
      k.copy(in.get(4).span(), weight);
      int rows = Math.toIntExact(loss.length());
      for (int from = 0; from < rows; from += chunk) {
        int count = Math.min(chunk, rows - from);
        Span logits = kept(n, 3).slice(0, (long) count * head.vocab());
        Span lse = kept(n, 2).slice(0, count);
        Span some = weight.slice(from, count);
        head.forward(k, from, count, logits);
        var chunkRows =
            new VocabLosses.CrossEntropyRows(
                group.range(total),
                logits,
                in.get(2).span().slice(from, count),
                in.get(3).span().slice(from, count),
                loss.slice(from, count),
                lse);
        RowStatistics statistics =
            RowStatistics.over(group, kept(n, 5), kept(n, 6), kinds(), count);
        if (confident) {
          Span index = in.get(5).span().slice(0, count);
          largest(k, logits, index, lse, statistics.mine(kinds() - 1), head.vocab());
        }
        chunkRows.prepare(k, statistics);
        statistics.gather(k);
        chunkRows.finish(statistics);
        if (confident) {
          weighBy(statistics, kinds() - 1, lse, some);
        }
        if (head.isTrained()) {
          Span dlogits = kept(n, 4).slice(0, logits.length());
          k.fill(dlogits, 0);
          chunkRows.backward(k, some, dlogits);
          head.backward(k, from, count, dlogits);
        }
      }
      n.output().span().set(0, weight.dot(loss));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      sink.scaled(0, k, dy.item(), n.saved().get(7));
      sink.scaled(1, k, dy.item(), n.saved().get(8));
    }
  }

  /**
   * For each of several students {@code Σ_r weight[r] KL(teacher ‖ student)}. Inputs x {@code [..,
   * C]} and W {@code [part of V, C]} of each student, then the teacher's, weights {@code [..]} and
   * room for I32 {@code [chunk]}. Result {@code [students]}; the teacher gets no gradient. Saved:
   * losses and weights {@code [students, rows]}, both log-sum-exps, the teacher's logits, logits
   * and their gradient, what is exchanged, then dx and dW of each student.
   *
   * @param total V
   * @param confident weigh each row also by the student's largest probability, without gradient
   * @param chunk rows at a time
   */
  record LinearKl(ShardGroup group, long total, boolean confident, int chunk) implements ShardOp {
    private static final int FIRST_GRADIENT = 9;

    private int kinds() {
      return VocabLosses.KlRows.KINDS + (confident ? 1 : 0);
    }

    private static int students(List<Tensor> in) {
      return (in.size() - 4) / 2;
    }

    private static Tensor weights(List<Tensor> in) {
      return in.get(in.size() - 2);
    }

    @Override
    public Shape shape(List<Tensor> in) {
      for (int i = 0; i <= students(in); i++) {
        check(name(), group.range(total), in.get(2 * i), in.get(2 * i + 1), weights(in));
      }
      return Shape.of(students(in));
    }

    @Override
    public List<Shape> saved(List<Tensor> in) {
      long rows = weights(in).shape().count();
      Shape each = Shape.of(students(in), rows);
      long most = Math.min(chunk, rows);
      Shape logits = Shape.of(most, in.get(1).shape().dim(0));
      Shape lse = Shape.of(most);
      List<Shape> shapes = new ArrayList<>(List.of(each, each, lse, lse, logits, logits, logits));
      shapes.addAll(RowStatistics.shapes(group, kinds(), most));
      in.subList(0, 2 * students(in)).forEach(x -> shapes.add(room(x)));
      return shapes;
    }

    @Override
    public void forward(Kernels k, Node n) {
      List<Tensor> in = n.inputs();
      int students = students(in);
      int rows = Math.toIntExact(weights(in).shape().count());
      Span nothing = kept(n, 0).slice(0, 0);
      Head teacher = new Head(in.get(2 * students), in.get(2 * students + 1), nothing, nothing);
      for (int i = 0; i < students; i++) {
        k.copy(weights(in).span(), kept(n, 1).slice((long) i * rows, rows));
      }
      for (int from = 0; from < rows; from += chunk) {
        int count = Math.min(chunk, rows - from);
        teacher.forward(k, from, count, kept(n, 4).slice(0, (long) count * teacher.vocab()));
        for (int i = 0; i < students; i++) {
          student(k, n, i, from, count);
        }
      }
      for (int i = 0; i < students; i++) {
        long at = (long) i * rows;
        double sum = kept(n, 1).slice(at, rows).dot(kept(n, 0).slice(at, rows));
        n.output().span().set(i, sum);
      }
    }

    private void student(Kernels k, Node n, int i, int from, int count) {
      List<Tensor> in = n.inputs();
      Span dx = kept(n, FIRST_GRADIENT + 2 * i);
      Span dw = kept(n, FIRST_GRADIENT + 2 * i + 1);
      Head head = new Head(in.get(2 * i), in.get(2 * i + 1), dx, dw);
      long at = i * weights(in).shape().count() + from;
      Span logits = kept(n, 5).slice(0, (long) count * head.vocab());
      Span lse = kept(n, 2).slice(0, count);
      Span weight = kept(n, 1).slice(at, count);
      head.forward(k, from, count, logits);
      var chunkRows =
          new VocabLosses.KlRows(
              group.range(total),
              logits,
              kept(n, 4).slice(0, logits.length()),
              kept(n, 0).slice(at, count),
              lse,
              kept(n, 3).slice(0, count));
      RowStatistics statistics = RowStatistics.over(group, kept(n, 7), kept(n, 8), kinds(), count);
      if (confident) {
        Span index = in.getLast().span().slice(0, count);
        largest(k, logits, index, lse, statistics.mine(kinds() - 1), head.vocab());
      }
      chunkRows.prepare(k, statistics);
      statistics.gather(k);
      chunkRows.finish(statistics);
      if (confident) {
        weighBy(statistics, kinds() - 1, lse, weight);
      }
      if (head.isTrained()) {
        Span dlogits = kept(n, 6).slice(0, logits.length());
        k.fill(dlogits, 0);
        chunkRows.backward(k, weight, dlogits);
        head.backward(k, from, count, dlogits);
      }
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      for (int i = 0; i < 2 * students(n.inputs()); i++) {
        sink.scaled(i, k, dy.span().get(i / 2), n.saved().get(FIRST_GRADIENT + i));
      }
    }
  }

  private static Span kept(Node n, int i) {
    return n.saved().get(i).span();
  }
}

package dev.sortie.opencl;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.Consumer;

/**
 * Calls of the kernels over elements and rows. Operands have been checked. Parameters as in {@link
 * dev.sortie.tensor.kernel.Kernels}.
 */
final class DeviceRows {
  private static final String ELEMENTS = "elementwise";
  private static final String ROWS = "rows";

  /** Dims of a view that the kernel takes. */
  static final int DIMS = 4;

  /** Places in which keys of a sequence may lie: sizes of vectors that are arguments. */
  static final int RUNS = 16;

  private final Engine engine;

  DeviceRows(Engine engine) {
    this.engine = engine;
  }

  void fill(Span y, double value) {
    long n = y.length();
    // the kernel has its span last, as all have what they write
    engine.call(ELEMENTS, "fill").arg((float) value).arg(n).out(y).items(n);
  }

  /** {@code add}, {@code mul}. */
  void binary(String kernel, Span x, Span y, Span z) {
    long n = z.length();
    engine.call(ELEMENTS, kernel).in(x).in(y).out(z).arg(n).items(n);
  }

  void mulAdd(Span x, Span y, Span z) {
    long n = z.length();
    engine.call(ELEMENTS, "mul_add").in(x).in(y).update(z).arg(n).items(n);
  }

  void scale(double a, Span x, Span y) {
    long n = y.length();
    engine.call(ELEMENTS, "scale").arg((float) a).in(x).out(y).arg(n).items(n);
  }

  void axpy(double a, Span x, Span y) {
    long n = y.length();
    engine.call(ELEMENTS, "axpy").arg((float) a).in(x).update(y).arg(n).items(n);
  }

  void addScalar(double a, Span y) {
    long n = y.length();
    engine.call(ELEMENTS, "add_scalar").arg((float) a).update(y).arg(n).items(n);
  }

  /** One of the copying kernels, which fits the types. */
  void copy(String kernel, Span x, Span y) {
    long n = y.length();
    engine.call(ELEMENTS, kernel).in(x).out(y).arg(n).items(n);
  }

  void copyStrided(Span x, Strided layout, Span y) {
    long n = layout.count();
    long[] shape = padded(layout.shape(), 1);
    long[] strides = padded(layout.strides(), 0);
    Launch call = engine.call(ELEMENTS, "copy_strided").in(x).out(y.slice(0, n)).arg(n);
    call.arg(shape[1]).arg(shape[2]).arg(shape[3]);
    call.arg(strides[0]).arg(strides[1]).arg(strides[2]).arg(strides[3]).items(n);
  }

  /** Four dims, the last ones those of the view. */
  private static long[] padded(long[] dims, long with) {
    long[] four = new long[DIMS];
    java.util.Arrays.fill(four, with);
    System.arraycopy(dims, 0, four, DIMS - dims.length, dims.length);
    return four;
  }

  void swiglu(Span gate, Span up, Span y) {
    long n = y.length();
    int vector = engine.preset().cut(Family.ROWS).get("VW");
    long items = (n + vector - 1) / vector;
    engine.call(ELEMENTS, "swiglu").in(gate).in(up).out(y).arg(n).items(items);
  }

  void gelu(Span x, Span y, boolean tanh) {
    long n = y.length();
    engine.call(ELEMENTS, "gelu").in(x).out(y).arg(tanh ? 1 : 0).arg(n).items(n);
  }

  void rope(Span x, Span cos, Span sin, Span y, RopeShape s, boolean inverse) {
    long rows = (long) s.batch() * s.tokens() * s.heads();
    long items = rows * (s.rotary() / 2 + s.headSize() - s.rotary());
    Span out = y.slice(0, rows * s.headSize());
    Launch call = engine.call(ELEMENTS, "rope").in(x).in(cos).in(sin).out(out);
    call.arg(s.tokens()).arg(s.heads()).arg(s.headSize()).arg(s.rotary()).arg(s.first());
    call.arg(s.interleaved() ? 1 : 0).arg(inverse ? -1f : 1f).arg(items).items(items);
  }

  void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    Launch call = engine.call(ROWS, "rms_norm").in(x).in(w).out(y).out(rstd);
    call.arg((float) eps).arg(cols).groups(rows);
  }

  void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    Launch call = engine.call(ROWS, "layer_norm").in(x).in(w).optional(b, w);
    call.out(y).out(mean).out(rstd);
    call.arg((float) eps).arg(cols).groups(rows);
  }

  void softmax(Span x, Span y, int rows, int cols) {
    engine.call(ROWS, "softmax").in(x).out(y).arg(cols).groups(rows);
  }

  void argmax(Span x, Span index, Span lse, int rows, int cols) {
    Launch call = engine.call(ROWS, "argmax").in(x).out(index).out(lse);
    call.arg(cols).groups(rows);
  }

  void attention(String define, Span q, Span k, Span v, Span out, Span lse, AttentionShape s) {
    attention(define, q, k, v, out, lse, s, call -> {});
  }

  /**
   * Of one sequence whose keys and values lie in up to {@link #RUNS} places of one storage each.
   */
  void attention(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    Span firstK = k.getFirst();
    Span firstV = v.getFirst();
    long[] keys = new long[RUNS];
    long[] values = new long[RUNS];
    int[] ends = new int[RUNS];
    int end = 0;
    for (int r = 0; r < RUNS; r++) {
      Span run = k.get(Math.min(r, k.size() - 1));
      keys[r] = run.offset() - firstK.offset();
      values[r] = v.get(Math.min(r, v.size() - 1)).offset() - firstV.offset();
      if (r < k.size()) {
        end += Math.toIntExact(run.length() / ((long) s.kvHeads() * s.headSize()));
      }
      ends[r] = end;
    }
    String define = firstK.dtype() == DType.BF16 ? "KV_BF16 -DRUNS" : "RUNS";
    attention(
        define,
        q,
        firstK,
        firstV,
        out,
        lse,
        s,
        call -> call.vector(keys).vector(values).vector(ends));
  }

  /** In pieces of so many rows as have room for their scores. */
  private void attention(
      String define,
      Span q,
      Span k,
      Span v,
      Span out,
      Span lse,
      AttentionShape s,
      Consumer<Launch> rest) {
    long rows = (long) s.batch() * s.heads() * s.queries();
    long bytes = 4L * s.keys();
    long piece = Math.clamp(Scratch.BUDGET / bytes, 1, rows);
    Span all = out.slice(0, rows * s.headSize()); // set by all pieces together
    Span allLse = lse.slice(0, rows);
    for (long first = 0; first < rows; first += piece) {
      Launch call = engine.call("attention", define, "attention").in(q).in(k).in(v);
      call.out(all).out(allLse).rows(engine.scratch().of(piece * bytes), first, s);
      rest.accept(call);
      call.groups(Math.min(piece, rows - first));
    }
  }
}

package dev.sortie.opencl;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.ActivationCall;
import dev.sortie.tensor.kernel.AttentionCall;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.ElementwiseCall;
import dev.sortie.tensor.kernel.LossCall;
import dev.sortie.tensor.kernel.NormCall;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.Consumer;

/** Launches of the kernels over elements and rows. */
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

  void fill(ElementwiseCall.Fill c) {
    long n = c.y().length();
    // the kernel has its span last, as all have what they write
    engine.call(ELEMENTS, "fill").arg((float) c.value()).arg(n).out(c.y()).items(n);
  }

  /** {@code add} or {@code mul}. */
  void binary(String kernel, Span x, Span y, Span z) {
    long n = z.length();
    engine.call(ELEMENTS, kernel).in(x).in(y).out(z).arg(n).items(n);
  }

  void mulAdd(ElementwiseCall.MulAdd c) {
    long n = c.z().length();
    engine.call(ELEMENTS, "mul_add").in(c.x()).in(c.y()).update(c.z()).arg(n).items(n);
  }

  void scale(ElementwiseCall.Scale c) {
    long n = c.y().length();
    engine.call(ELEMENTS, "scale").arg((float) c.a()).in(c.x()).out(c.y()).arg(n).items(n);
  }

  void axpy(ElementwiseCall.Axpy c) {
    long n = c.y().length();
    engine.call(ELEMENTS, "axpy").arg((float) c.a()).in(c.x()).update(c.y()).arg(n).items(n);
  }

  void addScalar(ElementwiseCall.AddScalar c) {
    long n = c.y().length();
    engine.call(ELEMENTS, "add_scalar").arg((float) c.a()).update(c.y()).arg(n).items(n);
  }

  void dropout(ElementwiseCall.Dropout c) {
    drop(engine.call(ELEMENTS, "dropout").in(c.x()).out(c.y()), c.mask(), c.y().length());
  }

  void dropoutAdd(ElementwiseCall.DropoutAdd c) {
    drop(engine.call(ELEMENTS, "dropout_add").in(c.x()).update(c.y()), c.mask(), c.y().length());
  }

  private static void drop(Launch call, DropoutMask mask, long n) {
    call.arg(mask.seed()).arg(mask.stream()).arg(mask.first());
    call.arg(mask.dropped()).arg(mask.kept()).arg(n).items(n);
  }

  /** One of the copying kernels, which fits the types. */
  void copy(String kernel, Span x, Span y) {
    long n = y.length();
    engine.call(ELEMENTS, kernel).in(x).out(y).arg(n).items(n);
  }

  void copyStrided(ElementwiseCall.CopyStrided c) {
    Strided layout = c.layout();
    long n = layout.count();
    long[] shape = padded(layout.shape(), 1);
    long[] strides = padded(layout.strides(), 0);
    Launch call = engine.call(ELEMENTS, "copy_strided").in(c.x()).out(c.y(), n).arg(n);
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

  void swiglu(ActivationCall.Swiglu c) {
    long n = c.y().length();
    int vector = engine.preset().cut(Family.ROWS).get("VW");
    long items = (n + vector - 1) / vector;
    engine.call(ELEMENTS, "swiglu").in(c.gate()).in(c.up()).out(c.y()).arg(n).items(items);
  }

  void gelu(ActivationCall.Gelu c) {
    long n = c.y().length();
    engine.call(ELEMENTS, "gelu").in(c.x()).out(c.y()).arg(c.tanh() ? 1 : 0).arg(n).items(n);
  }

  void rope(AttentionCall.Rope c) {
    RopeShape s = c.shape();
    long rows = (long) s.batch() * s.tokens() * s.heads();
    long items = rows * (s.rotary() / 2 + s.headSize() - s.rotary());
    Launch call =
        engine.call(ELEMENTS, "rope").in(c.x()).in(c.cos()).in(c.sin()).out(c.y(), s.elements());
    call.arg(s.tokens()).arg(s.heads()).arg(s.headSize()).arg(s.rotary()).arg(s.first());
    call.arg(s.interleaved() ? 1 : 0).arg(c.inverse() ? -1f : 1f).arg(items).items(items);
  }

  void rmsNorm(NormCall.RmsNorm c) {
    Launch call = engine.call(ROWS, "rms_norm").in(c.x()).in(c.w());
    call.out(c.y(), (long) c.rows() * c.cols()).out(c.rstd(), c.rows());
    call.arg((float) c.eps()).arg(c.cols()).groups(c.rows());
  }

  void layerNorm(NormCall.LayerNorm c) {
    Launch call = engine.call(ROWS, "layer_norm").in(c.x()).in(c.w()).optional(c.b(), c.w());
    call.out(c.y(), (long) c.rows() * c.cols());
    call.out(c.mean(), c.rows()).out(c.rstd(), c.rows());
    call.arg((float) c.eps()).arg(c.cols()).groups(c.rows());
  }

  void softmax(ActivationCall.Softmax c) {
    Launch call = engine.call(ROWS, "softmax").in(c.x());
    call.out(c.y(), (long) c.rows() * c.cols()).arg(c.cols()).groups(c.rows());
  }

  void argmax(LossCall.Argmax c) {
    Launch call = engine.call(ROWS, "argmax").in(c.logits());
    call.out(c.index(), c.rows()).out(c.lse(), c.rows());
    call.arg(c.cols()).groups(c.rows());
  }

  /** The macro for a cache of a type: F32 or BF16. */
  static String cache(DType type) {
    return type == DType.BF16 ? "KV_BF16" : "";
  }

  void attention(AttentionCall.Attention c) {
    String define = cache(c.k().dtype());
    attention(define, c.q(), c.k(), c.v(), c.out(), c.lse(), c.shape(), call -> {});
  }

  /**
   * Of one sequence whose keys and values lie in up to {@link #RUNS} places of one storage each.
   */
  void attention(AttentionCall.OverRuns c) {
    List<Span> k = c.k();
    List<Span> v = c.v();
    AttentionShape s = c.shape();
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
        c.q(),
        firstK,
        firstV,
        c.out(),
        c.lse(),
        s,
        call -> call.vector(keys).vector(values).vector(ends));
  }

  void zeroToken(AttentionCall.ZeroToken c) {
    AttentionShape s = c.shape();
    Launch call = engine.call("attention", "", "zero_token").in(c.u()).in(c.key());
    call.update(c.out()).update(c.lse()).out(c.share(), s.rows());
    call.arg(s.queries()).heads(s).groups(s.rows());
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
    long rows = s.rows();
    long bytes = 4L * s.keys();
    long piece = Math.clamp(DeviceScratch.BUDGET / bytes, 1, rows);
    for (long first = 0; first < rows; first += piece) {
      Launch call = engine.call("attention", define, "attention").in(q).in(k).in(v);
      call.out(out, s.queryElements()).out(lse, rows); // set by all pieces together
      call.rows(engine.scratch().of(piece * bytes), first, s);
      rest.accept(call);
      call.groups(Math.min(piece, rows - first));
    }
  }
}

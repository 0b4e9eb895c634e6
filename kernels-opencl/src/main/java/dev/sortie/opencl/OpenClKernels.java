package dev.sortie.opencl;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.Operands;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The kernels of an OpenCL device. What it cannot do (a type that it does not read, a kernel that
 * failed its {@link Certification}) the host does in its stead, on memory that comes home for it;
 * {@link #hostCalls} tells what that was. Not thread-safe: one thread at a time.
 */
public final class OpenClKernels extends GradientKernels {
  private static final String ROWS = "opencl rows";

  private final Engine engine;
  private final DeviceRows rows;
  private final DeviceMatrix matrix;

  /** Kernels on a device that is open; {@code host} does what the device cannot. */
  OpenClKernels(Engine engine, Kernels host) {
    super(engine, host);
    this.engine = engine;
    this.rows = new DeviceRows(engine);
    this.matrix = new DeviceMatrix(engine);
  }

  @Override
  public String name() {
    Preset preset = engine.preset();
    return "opencl "
        + preset.name()
        + (preset.tuned() ? ", tuned, on " : " on ")
        + engine.session().device().about().name();
  }

  /** What was copied between host and device so far. */
  public Transfers transfers() {
    return engine.memory().transfers();
  }

  /** How often each kernel ran on the host instead. */
  public Map<String, Long> hostCalls() {
    return calls();
  }

  /** Kernels of this device that are not used, and why. */
  public Map<String, String> disabled() {
    return certification().disabled();
  }

  /** Waits until the device has done all that it was given. */
  public void finish() {
    engine.session().finish();
  }

  @Override
  public void close() {
    engine.close();
  }

  // ---- elements

  @Override
  public void fill(Span y, double value) {
    if (!can("fill", y)) {
      super.fill(y, value);
    } else if (y.length() > 0) {
      rows.fill(y, value);
    }
  }

  @Override
  public void copy(Span x, Span y) {
    Operands.sameLength("copy", x, y);
    Optional<String> kernel = copying(x.dtype(), y.dtype());
    if (kernel.isEmpty() || !certification().passes(kernel.get())) {
      super.copy(x, y);
    } else if (y.length() > 0) {
      rows.copy(kernel.get(), x, y);
    }
  }

  private static Optional<String> copying(DType from, DType to) {
    if (from == to && !from.isQuantised() && from.bytes() < 8) {
      return Optional.of(from.bytes() == 4 ? "copy_32" : "copy_16");
    }
    if (from == DType.F32 && to == DType.BF16) {
      return Optional.of("copy_f32_bf16");
    }
    return from == DType.BF16 && to == DType.F32 ? Optional.of("copy_bf16_f32") : Optional.empty();
  }

  @Override
  public void copyStrided(Span x, Strided layout, Span y) {
    boolean fits =
        x.dtype() == y.dtype()
            && (x.dtype() == DType.F32 || x.dtype() == DType.I32)
            && layout.shape().length <= DeviceRows.DIMS;
    if (!fits || !certification().passes("copy_strided")) {
      super.copyStrided(x, layout, y);
      return;
    }
    Operands.view("copyStrided x", x, layout);
    Operands.length("copyStrided y", y, layout.count());
    if (layout.count() > 0) {
      rows.copyStrided(x, layout, y);
    }
  }

  @Override
  public void add(Span x, Span y, Span z) {
    if (can("add", x, y, z)) {
      binary("add", x, y, z);
    } else {
      super.add(x, y, z);
    }
  }

  @Override
  public void mul(Span x, Span y, Span z) {
    if (can("mul", x, y, z)) {
      binary("mul", x, y, z);
    } else {
      super.mul(x, y, z);
    }
  }

  private void binary(String kernel, Span x, Span y, Span z) {
    Operands.sameLength(kernel, x, y);
    if (Operands.sameLength(kernel, x, z) > 0) {
      rows.binary(kernel, x, y, z);
    }
  }

  @Override
  public void mulAdd(Span x, Span y, Span z) {
    if (!can("mul_add", x, y, z)) {
      super.mulAdd(x, y, z);
      return;
    }
    Operands.sameLength("mulAdd", x, y);
    if (Operands.sameLength("mulAdd", x, z) > 0) {
      rows.mulAdd(x, y, z);
    }
  }

  @Override
  public void scale(double a, Span x, Span y) {
    if (!can("scale", x, y)) {
      super.scale(a, x, y);
    } else if (Operands.sameLength("scale", x, y) > 0) {
      rows.scale(a, x, y);
    }
  }

  @Override
  public void axpy(double a, Span x, Span y) {
    if (!can("axpy", x, y)) {
      super.axpy(a, x, y);
    } else if (Operands.sameLength("axpy", x, y) > 0) {
      rows.axpy(a, x, y);
    }
  }

  @Override
  public void addScalar(double a, Span y) {
    if (!can("add_scalar", y)) {
      super.addScalar(a, y);
    } else if (y.length() > 0) {
      rows.addScalar(a, y);
    }
  }

  @Override
  public void swiglu(Span gate, Span up, Span y) {
    if (!can("swiglu", gate, up, y)) {
      super.swiglu(gate, up, y);
      return;
    }
    Operands.sameLength("swiglu", gate, up);
    if (Operands.sameLength("swiglu", gate, y) > 0) {
      rows.swiglu(gate, up, y);
    }
  }

  @Override
  public void gelu(Span x, Span y, boolean tanh) {
    if (!can("gelu", x, y)) {
      super.gelu(x, y, tanh);
    } else if (Operands.sameLength("gelu", x, y) > 0) {
      rows.gelu(x, y, tanh);
    }
  }

  // ---- rows

  @Override
  public void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int r, int c) {
    if (!can("rms_norm", x, w, y, rstd)) {
      super.rmsNorm(x, w, eps, y, rstd, r, c);
      return;
    }
    matrix("rmsNorm", r, c, x, y);
    Operands.length("rmsNorm w", w, c);
    Operands.length("rmsNorm rstd", rstd, r);
    if (r > 0) {
      rows.rmsNorm(x, w, eps, y.slice(0, (long) r * c), rstd.slice(0, r), r, c);
    }
  }

  @Override
  public void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int r, int c) {
    if (!can("layer_norm", x, w, b, y, mean, rstd)) {
      super.layerNorm(x, w, b, eps, y, mean, rstd, r, c);
      return;
    }
    matrix("layerNorm", r, c, x, y);
    Operands.length("layerNorm w", w, c);
    Operands.length("layerNorm b", b == null ? w : b, c);
    Operands.length("layerNorm mean", mean, r);
    Operands.length("layerNorm rstd", rstd, r);
    if (r > 0) {
      Span all = y.slice(0, (long) r * c);
      rows.layerNorm(x, w, b, eps, all, mean.slice(0, r), rstd.slice(0, r), r, c);
    }
  }

  @Override
  public void softmax(Span x, Span y, int r, int c) {
    if (!can("softmax", x, y)) {
      super.softmax(x, y, r, c);
      return;
    }
    matrix("softmax", r, c, x, y);
    if (r > 0 && c > 0) {
      rows.softmax(x, y.slice(0, (long) r * c), r, c);
    }
  }

  @Override
  public void argmax(Span x, Span index, Span lse, int r, int c) {
    if (index.dtype() != DType.I32 || !can("argmax", x, lse)) {
      super.argmax(x, index, lse, r, c);
      return;
    }
    matrix("argmax", r, c, x);
    Operands.length("argmax index", index, r);
    Operands.length("argmax lse", lse, r);
    if (r > 0 && c > 0) {
      rows.argmax(x, index.slice(0, r), lse.slice(0, r), r, c);
    }
  }

  // ---- attention

  @Override
  public void rope(Span x, Span cos, Span sin, Span y, RopeShape s, boolean inverse) {
    if (!can("rope", x, cos, sin, y)) {
      super.rope(x, cos, sin, y, s, inverse);
      return;
    }
    long count = (long) s.batch() * s.tokens() * s.heads() * s.headSize();
    long angles = (long) (s.first() + s.tokens()) * (s.rotary() / 2);
    Operands.length("rope x", x, count);
    Operands.length("rope y", y, count);
    Operands.length("rope cos", cos, angles);
    Operands.length("rope sin", sin, angles);
    if (count > 0) {
      rows.rope(x, cos, sin, y, s, inverse);
    }
  }

  @Override
  public void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape s) {
    boolean types = k.dtype() == v.dtype() && (k.dtype() == DType.F32 || k.dtype() == DType.BF16);
    String define = k.dtype() == DType.BF16 ? "KV_BF16" : "";
    if (!types || !can("attention " + define, q, out, lse)) {
      super.attention(q, k, v, out, lse, s);
      return;
    }
    long queries = (long) s.batch() * s.queries() * s.heads();
    long keys = (long) s.batch() * s.keys() * s.kvHeads() * s.headSize();
    Operands.length("attention q", q, queries * s.headSize());
    Operands.length("attention out", out, queries * s.headSize());
    Operands.length("attention k", k, keys);
    Operands.length("attention v", v, keys);
    Operands.length("attention lse", lse, queries);
    rows.attention(define, q, k, v, out, lse, s);
  }

  @Override
  public void attention(Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape s) {
    boolean few = k.size() <= DeviceRows.RUNS && together(k) && together(v);
    DType type = k.isEmpty() ? DType.F64 : k.getFirst().dtype();
    String kernel = type == DType.BF16 ? "attention_runs KV_BF16" : "attention_runs";
    boolean types =
        (type == DType.F32 || type == DType.BF16)
            && v.stream().allMatch(run -> run.dtype() == type);
    if (!few || !types || !can(kernel, q, out, lse)) {
      super.attention(q, k, v, out, lse, s); // copies the runs together on the device
      return;
    }
    Operands.requireRuns(k, v, s);
    long queries = (long) s.queries() * s.heads();
    Operands.length("attention q", q, queries * s.headSize());
    Operands.length("attention out", out, queries * s.headSize());
    Operands.length("attention lse", lse, queries);
    rows.attention(q, k, v, out, lse, s);
  }

  /** Whether runs lie in one storage, as pages of a layer do: a kernel takes one buffer. */
  private static boolean together(List<Span> runs) {
    return runs.stream().allMatch(r -> r.storage() == runs.getFirst().storage());
  }

  // ---- matrices

  @Override
  public void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    String kernel = (m <= ROW_STABLE ? "gemv " : "gemm NT ") + w.dtype();
    if (DeviceMatrix.macro(w.dtype()).isEmpty() || !can(kernel, x, bias, y)) {
      super.linear(x, w, bias, y, m, n, k);
      return;
    }
    Operands.wholeBlocks("linear w", w, k);
    product("linear", m, n, k, x, w, y);
    if (bias != null) {
      Operands.length("linear bias", bias, n);
    }
    if (m == 0 || n == 0) {
      return;
    }
    if (m <= ROW_STABLE) {
      matrix.gemv(x, w, bias, y, m, n, k);
    } else {
      matrix.gemm(Product.linear(x, w, bias, y, m, n, k));
    }
  }

  private static void product(String what, int m, int n, int k, Span a, Span b, Span c) {
    Operands.matrix(what, m, n);
    Operands.matrix(what, m, k);
    Operands.length(what + " left operand", a, (long) m * k);
    Operands.length(what + " right operand", b, (long) n * k);
    Operands.length(what + " result", c, (long) m * n);
  }

  @Override
  public PackedWeight pack(Span w, int n, int k, Allocator memory) {
    if (DeviceMatrix.macro(w.dtype()).isEmpty()) {
      return super.pack(w, n, k, memory);
    }
    Span values = memory.allocate(DType.F32, (long) n * k).span();
    copy(w.slice(0, (long) n * k), values);
    return new PackedWeight(ROWS, values, n, k);
  }

  @Override
  public void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    if (!w.layout().equals(ROWS)) {
      super.linear(x, w, bias, y, m);
    } else if (can("gemm NT F32", x, bias, y)) {
      product("linear", m, w.n(), w.k(), x, w.values(), y);
      if (m > 0 && w.n() > 0) {
        matrix.gemm(Product.linear(x, w.values(), bias, y, m, w.n(), w.k()));
      }
    } else {
      super.linear(x, w.values(), bias, y, m, w.n(), w.k());
    }
  }

  @Override
  public void gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span c,
      boolean accumulate) {
    String kernel = (transB ? "gemm NT " : "gemm NN ") + b.dtype();
    if (DeviceMatrix.macro(b.dtype()).isEmpty() || !can(kernel, a, c)) {
      super.gemm(transA, transB, m, n, k, a, b, c, accumulate);
      return;
    }
    Operands.wholeBlocks("gemm right operand", b, transB ? k : n);
    product("gemm", m, n, k, a, b, c);
    if (m > 0 && n > 0) {
      matrix.gemm(new Product(transA, transB, m, n, k, a, b, null, c, accumulate));
    }
  }

  @Override
  public void gatherRows(Span table, Span ids, Span y, int r, int c) {
    String kernel = "gather " + table.dtype();
    if (DeviceMatrix.macro(table.dtype()).isEmpty() || !can(kernel, y)) {
      super.gatherRows(table, ids, y, r, c);
      return;
    }
    int limit = Operands.tableRows("table", table, c);
    Operands.check("ids", ids, DType.I32, r);
    Operands.length("gatherRows y", y, (long) r * c);
    for (int i = 0; i < r; i++) {
      Operands.id("ids", ids, i, limit);
    }
    if (r > 0) {
      matrix.gather(table, ids, y, r, c);
    }
  }
}

package dev.sortie.opencl;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.memory.Span;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jocl.cl_mem;

/** Launches of the kernels that read weights. */
final class DeviceMatrix {
  private static final String WEIGHTS = "weights";

  /** Elements of a quantised row that are decoded at once: WV in weights.cl. */
  private static final int BLOCK_VECTOR = 16;

  /** The macro of each type that is read in place. */
  private static final Map<DType, String> MACROS = new EnumMap<>(DType.class);

  static {
    for (DType type :
        new DType[] {
          DType.F32,
          DType.BF16,
          DType.F16,
          DType.Q8_0,
          DType.Q4_0,
          DType.Q4_1,
          DType.Q4_K,
          DType.Q6_K
        }) {
      MACROS.put(type, "W_" + type);
    }
  }

  private final Engine engine;

  DeviceMatrix(Engine engine) {
    this.engine = engine;
  }

  /** The macro for weights of a type; none where the device does not read it. */
  static Optional<String> macro(DType type) {
    return Optional.ofNullable(MACROS.get(type));
  }

  private Launch weights(DType type, String kernel) {
    return engine.call(WEIGHTS, MACROS.get(type), kernel);
  }

  /** The product with few rows of x. */
  void gemv(MatrixCall.Linear c) {
    int m = c.m();
    int n = c.n();
    String macro = MACROS.get(c.w().dtype());
    int outputs = engine.preset().cut(Family.of(WEIGHTS, macro)).get("OUTPUTS");
    Launch call = weights(c.w().dtype(), "gemv").in(c.x()).bytes(c.w()).optional(c.bias(), c.x());
    call.out(c.y(), (long) m * n).arg(m).arg(n).arg(c.k());
    call.groups((n + outputs - 1) / outputs);
  }

  void gather(MatrixCall.GatherRows c) {
    int rows = c.rows();
    int cols = c.cols();
    Launch call = weights(c.table().dtype(), "gather").bytes(c.table()).in(c.ids());
    call.out(c.y(), (long) rows * cols).arg(cols).groups(rows);
  }

  /** The product, on panels or tiles as the preset has it. */
  void gemm(Product p) {
    if (engine.preset().panels()) {
      panels(p);
    } else {
      tiles(p);
    }
  }

  /** So many columns at a time as fit the scratch memory. */
  private void panels(Product p) {
    Cut cut = engine.preset().cut(Family.MATRIX);
    int panel = cut.get("PANEL");
    int rows = cut.get("TILE_ROWS");
    long most = Math.max(1, DeviceScratch.BUDGET / (4L * panel * Math.max(1, p.k()))) * panel;
    long whole = (p.n() + panel - 1L) / panel * panel;
    // columns of op(b) stored in rows can only be cut where blocks end, which panels are not
    boolean pieces = p.transB() || !p.b().dtype().isQuantised();
    int step = (int) Math.min(Integer.MAX_VALUE, pieces ? Math.min(most, whole) : whole);
    for (int from = 0; from < p.n(); from += step) {
      int count = Math.min(step, p.n() - from);
      long panels = (count + panel - 1L) / panel;
      cl_mem packed = engine.scratch().of(4L * panel * panels * Math.max(1, p.k()));
      pack(p, packed, from, count, panels);
      Launch call = engine.call("gemm", "gemm_panels").in(p.a());
      call.arg(p.leftRow()).arg(p.leftCol()).buffer(packed);
      call.optional(p.bias() == null ? null : p.bias().slice(from, count), p.a());
      result(call, p.c().slice(from, (long) p.m() * p.n() - from), p.accumulate());
      call.arg((long) p.n()).arg(p.m()).arg(count).arg(p.k()).arg(p.accumulate() ? 1 : 0);
      call.grid((p.m() + rows - 1) / rows, panels);
    }
  }

  private static void result(Launch call, Span c, boolean accumulate) {
    if (accumulate) {
      call.update(c);
    } else {
      call.out(c);
    }
  }

  private void pack(Product p, cl_mem packed, int from, int count, long panels) {
    DType type = p.b().dtype();
    int k = p.k();
    if (k == 0) {
      return;
    }
    if (p.transB()) {
      Span rows = p.b().slice((long) from * k, (long) count * k);
      int vector =
          type.isQuantised() ? BLOCK_VECTOR : engine.preset().cut(Family.WEIGHTS).get("VW");
      Launch call = weights(type, "pack_rows").bytes(rows).buffer(packed);
      call.arg(count).arg(k).grid(panels, (k + vector - 1) / vector);
    } else {
      Launch call = weights(type, "pack_cols").bytes(p.b()).buffer(packed);
      call.arg(from).arg(count).arg(p.n()).arg(k).grid(panels, k);
    }
  }

  private void tiles(Product p) {
    Optional<cl_mem> wide = p.b().dtype() == DType.F32 ? Optional.empty() : Optional.of(widen(p));
    Launch call = engine.call("gemm", "gemm_tiles").in(p.a()).arg(p.leftRow()).arg(p.leftCol());
    if (wide.isPresent()) {
      call.buffer(wide.get()).arg(0L);
    } else {
      call.in(p.b());
    }
    call.arg(p.transB() ? 1L : p.n()).arg(p.transB() ? p.k() : 1L).optional(p.bias(), p.a());
    result(call, p.c().slice(0, (long) p.m() * p.n()), p.accumulate());
    call.arg(p.m()).arg(p.n()).arg(p.k()).arg(p.accumulate() ? 1 : 0);
    Cut cut = engine.preset().cut(Family.MATRIX);
    int x = cut.get("TX");
    int y = cut.get("TY");
    int across = x * cut.get("PART_N");
    int down = y * cut.get("PART_M");
    call.tiles((p.n() + across - 1) / across, (p.m() + down - 1) / down, x, y);
  }

  /** The right operand in F32. */
  private cl_mem widen(Product p) {
    int rows = p.transB() ? p.n() : p.k();
    int cols = p.transB() ? p.k() : p.n();
    cl_mem wide = engine.scratch().of(4L * rows * Math.max(1, cols));
    if (rows > 0 && cols > 0) {
      weights(p.b().dtype(), "widen").bytes(p.b()).buffer(wide).arg(cols).groups(rows);
    }
    return wide;
  }
}

package dev.sortie.opencl;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.memory.Span;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jocl.cl_mem;

/** Calls of the kernels that read weights. Operands have been checked. */
final class DeviceMatrix {
  private static final String WEIGHTS = "weights";

  /** Columns of a panel, and rows and columns of its tile: see gemm.cl. */
  private static final int PANEL = 32;

  private static final int TILE_ROWS = 8;

  /** Rows and columns of a work-item's part of a tile in local memory. */
  private static final int PART = 4;

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
  void gemv(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    int outputs = engine.preset().outputs();
    Launch call = weights(w.dtype(), "gemv").in(x).bytes(w).optional(bias, x);
    call.out(y.slice(0, (long) m * n)).arg(m).arg(n).arg(k);
    call.groups((n + outputs - 1) / outputs, engine.preset().group());
  }

  void gather(Span table, Span ids, Span y, int rows, int cols) {
    Launch call = weights(table.dtype(), "gather").bytes(table).in(ids);
    call.out(y.slice(0, (long) rows * cols)).arg(cols).groups(rows, engine.preset().group());
  }

  /**
   * {@code c = op(a) · op(b) (+ c) (+ bias)}.
   *
   * @param bias may be null
   */
  void gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span bias,
      Span c,
      boolean accumulate) {
    if (engine.preset().panels()) {
      panels(transA, transB, m, n, k, a, b, bias, c, accumulate);
    } else {
      tiles(transA, transB, m, n, k, a, b, bias, c, accumulate);
    }
  }

  /** So many columns at a time as fit the scratch memory. */
  private void panels(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span bias,
      Span c,
      boolean accumulate) {
    long most = Math.max(1, Scratch.BUDGET / (4L * PANEL * Math.max(1, k))) * PANEL;
    int piece = (int) Math.min(most, (n + PANEL - 1L) / PANEL * PANEL);
    // columns of op(b) stored in rows can only be cut where blocks end, which panels are not
    int step = transB || !b.dtype().isQuantised() ? piece : (n + PANEL - 1) / PANEL * PANEL;
    for (int from = 0; from < n; from += step) {
      int count = Math.min(step, n - from);
      long panels = (count + PANEL - 1L) / PANEL;
      cl_mem packed = engine.scratch().of(4L * PANEL * panels * Math.max(1, k));
      pack(transB, b, packed, from, count, n, k, panels);
      Launch call = engine.call("gemm", "gemm_panels").in(a);
      call.arg(transA ? 1L : k).arg(transA ? m : 1L).buffer(packed);
      if (bias == null) {
        call.optional(null, a);
      } else {
        call.optional(bias.slice(from, count), a);
      }
      Span out = c.slice(from, (long) m * n - from);
      if (accumulate) {
        call.update(out);
      } else {
        call.out(out);
      }
      call.arg((long) n).arg(m).arg(count).arg(k).arg(accumulate ? 1 : 0);
      call.grid((m + TILE_ROWS - 1) / TILE_ROWS, panels);
    }
  }

  private void pack(
      boolean transB, Span b, cl_mem packed, int from, int count, int n, int k, long panels) {
    if (k == 0) {
      return;
    }
    if (transB) {
      Span rows = b.slice((long) from * k, (long) count * k);
      int vector = b.dtype().isQuantised() ? 16 : engine.preset().vector();
      Launch call = weights(b.dtype(), "pack_rows").bytes(rows).buffer(packed);
      call.arg(count).arg(k).grid(panels, (k + vector - 1) / vector);
    } else {
      Launch call = weights(b.dtype(), "pack_cols").bytes(b).buffer(packed);
      call.arg(from).arg(count).arg(n).arg(k).grid(panels, k);
    }
  }

  private void tiles(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span bias,
      Span c,
      boolean accumulate) {
    int rows = transB ? n : k;
    int cols = transB ? k : n;
    Launch call;
    if (b.dtype() == DType.F32) {
      call = engine.call("gemm", "gemm_tiles").in(a).arg(transA ? 1L : k).arg(transA ? m : 1L);
      call.in(b);
    } else {
      cl_mem wide = engine.scratch().of(4L * rows * Math.max(1, cols));
      Launch widen = weights(b.dtype(), "widen").bytes(b).buffer(wide).arg(cols);
      if (rows > 0 && cols > 0) {
        widen.groups(rows, engine.preset().group());
      }
      call = engine.call("gemm", "gemm_tiles").in(a).arg(transA ? 1L : k).arg(transA ? m : 1L);
      call.buffer(wide).arg(0L);
    }
    call.arg(transB ? 1L : n).arg(transB ? k : 1L).optional(bias, a);
    Span out = c.slice(0, (long) m * n);
    if (accumulate) {
      call.update(out);
    } else {
      call.out(out);
    }
    call.arg(m).arg(n).arg(k).arg(accumulate ? 1 : 0);
    int x = engine.preset().tileX();
    int y = engine.preset().tileY();
    int tileN = x * PART;
    int tileM = y * PART;
    call.tiles((n + tileN - 1) / tileN, (m + tileM - 1) / tileM, x, y);
  }
}

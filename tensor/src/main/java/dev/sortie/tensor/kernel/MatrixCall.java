package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.Consumer;

/** Products of matrices, sums of rows, and rows of tables. */
public sealed interface MatrixCall extends KernelCall {

  /** {@link Kernels#linear(Span, Span, Span, Span, int, int, int)}; {@code bias} may be null. */
  record Linear(Span x, Span w, Span bias, Span y, int m, int n, int k) implements MatrixCall {
    public Linear {
      check(x, w, bias, y, m, n, k);
    }

    private static void check(Span x, Span w, Span bias, Span y, int m, int n, int k) {
      DType type = Operands.matrices("linear x", m, k, x);
      Operands.sizes("linear w", n, k);
      Operands.weight("linear w", w, type, n, k);
      result(type, bias, y, m, n);
    }

    private static void result(DType type, Span bias, Span y, int m, int n) {
      Operands.check("linear y", y, type, (long) m * n);
      Operands.optional("linear bias", bias, type, n);
    }

    @Override
    public DType dtype() {
      return x.dtype();
    }

    @Override
    public Linear bind(Binding b) {
      return new Linear(b.read(x), b.read(w), b.read(bias), b.write(y), m, n, k);
    }
  }

  /** {@link Kernels#linears}. */
  record Linears(Span x, List<Projection> projections, int m, int k) implements MatrixCall {
    public Linears {
      for (Projection p : projections) {
        Linear.check(x, p.w(), p.bias(), p.y(), m, p.n(), k);
      }
    }

    /** The products one by one, for kernels that gain nothing from knowing all of them. */
    public void each(Consumer<Linear> product) {
      for (Projection p : projections) {
        product.accept(new Linear(x, p.w(), p.bias(), p.y(), m, p.n(), k));
      }
    }

    @Override
    public DType dtype() {
      return x.dtype();
    }

    @Override
    public Linears bind(Binding b) {
      List<Projection> bound =
          projections.stream()
              .map(p -> new Projection(b.read(p.w()), b.read(p.bias()), b.write(p.y()), p.n()))
              .toList();
      return new Linears(b.read(x), bound, m, k);
    }
  }

  /**
   * {@link Kernels#linear(Span, PackedWeight, Span, Span, int)}; {@code bias} may be null. Whether
   * the layout is its own is for the kernel set to check.
   */
  record PackedLinear(Span x, PackedWeight w, Span bias, Span y, int m) implements MatrixCall {
    public PackedLinear {
      DType type = Operands.matrices("linear x", m, w.k(), x);
      Operands.check("linear packed w", w.values(), type, 0);
      Linear.result(type, bias, y, m, w.n());
    }

    /** The product with the weight's values as they are, for layouts that keep rows in order. */
    public Linear unpacked() {
      return new Linear(x, w.values(), bias, y, m, w.n(), w.k());
    }

    @Override
    public DType dtype() {
      return x.dtype();
    }

    @Override
    public PackedLinear bind(Binding b) {
      PackedWeight bound = new PackedWeight(w.layout(), b.read(w.values()), w.n(), w.k());
      return new PackedLinear(b.read(x), bound, b.read(bias), b.write(y), m);
    }
  }

  /** {@link Kernels#tiledLinears}. */
  record TiledLinears(Span x, List<TiledProjection> projections, int m, int k)
      implements MatrixCall {
    public TiledLinears {
      Operands.sizes("linear x", m, k);
      Operands.check("linear x", x, DType.F32, (long) m * k);
      for (TiledProjection p : projections) {
        if (p.w().k() != k) {
          throw new IllegalArgumentException("linear w has " + p.w().k() + " inputs, x has " + k);
        }
        Linear.result(DType.F32, p.bias(), p.y(), m, p.w().n());
      }
    }

    @Override
    public DType dtype() {
      return DType.F32;
    }

    @Override
    public TiledLinears bind(Binding b) {
      List<TiledProjection> bound =
          projections.stream()
              .map(
                  p -> {
                    TiledWeight w = p.w();
                    Span values = b.read(w.values());
                    return new TiledProjection(
                        new TiledWeight(w.type(), w.lanes(), values, w.n(), w.k()),
                        b.read(p.bias()),
                        b.write(p.y()));
                  })
              .toList();
      return new TiledLinears(b.read(x), bound, m, k);
    }
  }

  /** {@link Kernels#gemm}. */
  record Gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span c,
      boolean accumulate)
      implements MatrixCall {
    public Gemm {
      DType type = Operands.matrices("gemm a", m, k, a);
      Operands.sizes("gemm b", n, k);
      Operands.weight("gemm b", b, type, transB ? n : k, transB ? k : n);
      Operands.check("gemm c", c, type, (long) m * n);
    }

    @Override
    public DType dtype() {
      return a.dtype();
    }

    @Override
    public Gemm bind(Binding to) {
      Span result = accumulate ? to.update(c) : to.write(c);
      return new Gemm(transA, transB, m, n, k, to.read(a), to.read(b), result, accumulate);
    }
  }

  /** {@link Kernels#sumRows}. */
  record SumRows(Span x, Span y, int rows, int cols) implements MatrixCall {
    public SumRows {
      DType type = Operands.matrices("sumRows x", rows, cols, x);
      Operands.check("sumRows y", y, type, cols);
    }

    @Override
    public DType dtype() {
      return x.dtype();
    }

    @Override
    public SumRows bind(Binding b) {
      return new SumRows(b.read(x), b.update(y), rows, cols);
    }
  }

  /** {@link Kernels#gatherRows}. */
  record GatherRows(Span table, Span ids, Span y, int rows, int cols) implements MatrixCall {
    public GatherRows {
      DType type = Operands.matrices("gatherRows y", rows, cols, y);
      Operands.ids("ids", ids, rows, Operands.tableRows("embedding table", table, type, cols));
    }

    @Override
    public DType dtype() {
      return y.dtype();
    }

    @Override
    public GatherRows bind(Binding b) {
      return new GatherRows(b.read(table), b.read(ids), b.write(y), rows, cols);
    }
  }

  /** {@link Kernels#scatterAddRows}. */
  record ScatterAddRows(Span dy, Span ids, Span table, int rows, int cols) implements MatrixCall {
    public ScatterAddRows {
      DType type = Operands.matrices("scatterAddRows dy", rows, cols, dy);
      Operands.check("scatterAddRows table", table, type, 0);
      Operands.ids("ids", ids, rows, Operands.tableRows("embedding table", table, type, cols));
    }

    @Override
    public DType dtype() {
      return dy.dtype();
    }

    @Override
    public ScatterAddRows bind(Binding b) {
      return new ScatterAddRows(b.read(dy), b.read(ids), b.update(table), rows, cols);
    }
  }
}

package dev.sortie.tensor.kernel;

import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Kernels that know some weights in tiles too: products with these are computed as {@link
 * Kernels#tiledLinears} says, in integers. In attention the first {@value #EARLY} positions are
 * {@link AttentionShape#early early}. All else is as the kernels beneath do it. The weights must
 * not change; products no longer read them where they were.
 */
public final class TiledKernels implements Kernels {
  /**
   * Early positions. With products in integers, a prompt of so many tokens needs no kernel that the
   * tokens after it do not need as well, and so the JVM compiles fewer of them before the first
   * token. Attention over few keys takes little time either way.
   */
  public static final int EARLY = 64;

  private final Kernels kernels;
  private final Map<Span, TiledWeight> tiles;

  /** Rows of x that meet a weight at a time. */
  private final int most;

  /**
   * With no weights in tiles yet.
   *
   * @param kernels computes
   */
  public TiledKernels(Kernels kernels) {
    this(kernels, new HashMap<>(), Integer.MAX_VALUE);
  }

  private TiledKernels(Kernels kernels, Map<Span, TiledWeight> tiles, int most) {
    this.kernels = kernels;
    this.tiles = tiles;
    this.most = most;
  }

  /**
   * Puts a weight {@code [n, k]} into tiles, if its type has any. Before the first product with it.
   *
   * @return whether it has
   */
  public boolean add(Span w, int n, int k, Allocator memory) {
    if (TileType.of(w.dtype()).isEmpty()) {
      return false;
    }
    if (!tiles.containsKey(w)) {
      tiles.put(w, kernels.tile(w, n, k, memory));
    }
    return true;
  }

  /** Names the kernels beneath and the arithmetic: both decide on the bits and on the speed. */
  @Override
  public String name() {
    return kernels.name() + ", integer";
  }

  @Override
  public void close() {
    kernels.close();
  }

  @Override
  public void expectRows(int rows) {
    kernels.expectRows(rows);
  }

  /** Rows are taken {@link Kernels#ROW_STABLE} at a time. */
  @Override
  public Kernels stepwise() {
    return new TiledKernels(kernels, tiles, ROW_STABLE);
  }

  @Override
  public void run(KernelCall call) {
    switch (call) {
      case MatrixCall.Linear _, MatrixCall.Linears _ -> resolve(call).forEach(kernels::run);
      case AttentionCall c -> kernels.run(early(c));
      default -> kernels.run(call);
    }
  }

  /**
   * Products with weights in tiles become {@link MatrixCall.TiledLinears}, and attention of many
   * queries learns of early positions.
   */
  @Override
  public List<KernelCall> resolve(KernelCall call) {
    return switch (call) {
      case MatrixCall.Linear c -> {
        TiledWeight w = tiles.get(c.w());
        yield w == null
            ? kernels.resolve(c)
            : tiled(c.x(), List.of(new TiledProjection(w, c.bias(), c.y())), c.m(), c.k());
      }
      case MatrixCall.Linears c -> linears(c);
      case AttentionCall c -> kernels.resolve(early(c));
      default -> kernels.resolve(call);
    };
  }

  private static AttentionCall early(AttentionCall call) {
    return switch (call) {
      case AttentionCall.Attention c when isMany(c.shape()) ->
          new AttentionCall.Attention(
              c.q(), c.k(), c.v(), c.out(), c.lse(), c.shape().withEarly(EARLY));
      case AttentionCall.OverRuns c when isMany(c.shape()) -> early(c);
      case AttentionCall.OfSequences c
          when c.sequences().stream().anyMatch(s -> isMany(s.shape())) ->
          new AttentionCall.OfSequences(c.sequences().stream().map(TiledKernels::early).toList());
      default -> call;
    };
  }

  private static AttentionCall.OverRuns early(AttentionCall.OverRuns c) {
    return new AttentionCall.OverRuns(
        c.q(), c.k(), c.v(), c.out(), c.lse(), c.shape().withEarly(EARLY));
  }

  private static boolean isMany(AttentionShape shape) {
    return shape.queries() > ROW_STABLE;
  }

  private List<KernelCall> linears(MatrixCall.Linears c) {
    List<TiledProjection> tiled = new ArrayList<>(c.projections().size());
    List<Projection> others = new ArrayList<>(0);
    for (Projection p : c.projections()) {
      TiledWeight w = tiles.get(p.w());
      if (w == null) {
        others.add(p);
      } else {
        tiled.add(new TiledProjection(w, p.bias(), p.y()));
      }
    }
    List<KernelCall> calls = new ArrayList<>(2);
    if (!tiled.isEmpty()) {
      calls.addAll(tiled(c.x(), tiled, c.m(), c.k()));
    }
    if (!others.isEmpty()) {
      calls.add(new MatrixCall.Linears(c.x(), others, c.m(), c.k()));
    }
    return calls;
  }

  private List<KernelCall> tiled(Span x, List<TiledProjection> projections, int m, int k) {
    if (m <= most) {
      return List.of(new MatrixCall.TiledLinears(x, projections, m, k));
    }
    List<KernelCall> calls = new ArrayList<>();
    for (int i = 0; i < m; i += most) {
      int first = i;
      int rows = Math.min(most, m - i);
      List<TiledProjection> some = projections.stream().map(p -> rows(p, first, rows)).toList();
      Span part = x.slice((long) i * k, (long) rows * k);
      calls.add(new MatrixCall.TiledLinears(part, some, rows, k));
    }
    return calls;
  }

  private static TiledProjection rows(TiledProjection p, int first, int rows) {
    long n = p.w().n();
    return new TiledProjection(p.w(), p.bias(), p.y().slice(first * n, rows * n));
  }

  @Override
  public double sum(KernelQuery.Sum call) {
    return kernels.sum(call);
  }

  @Override
  public PackedWeight pack(KernelQuery.Pack call) {
    return kernels.pack(call);
  }

  @Override
  public TiledWeight tile(KernelQuery.Tile call) {
    return kernels.tile(call);
  }
}

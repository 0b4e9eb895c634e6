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
 * Kernels#tiledLinears} says, of few rows in integers; all else as the kernels beneath do. The
 * weights must not change; products no longer read them where they were.
 */
public final class TiledKernels implements Kernels {
  private final Kernels kernels;
  private final Map<Span, TiledWeight> tiles = new HashMap<>();

  /**
   * With no weights in tiles yet.
   *
   * @param kernels computes
   */
  public TiledKernels(Kernels kernels) {
    this.kernels = kernels;
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

  @Override
  public String name() {
    return kernels.name();
  }

  @Override
  public void close() {
    kernels.close();
  }

  @Override
  public void run(KernelCall call) {
    switch (call) {
      case MatrixCall.Linear c when tiles.containsKey(c.w()) -> {
        TiledWeight w = tiles.get(c.w());
        kernels.tiledLinears(c.x(), List.of(new TiledProjection(w, c.bias(), c.y())), c.m(), c.k());
      }
      case MatrixCall.Linears c -> linears(c);
      default -> kernels.run(call);
    }
  }

  private void linears(MatrixCall.Linears c) {
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
    if (!tiled.isEmpty()) {
      kernels.tiledLinears(c.x(), tiled, c.m(), c.k());
    }
    if (!others.isEmpty()) {
      kernels.linears(c.x(), others, c.m(), c.k());
    }
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

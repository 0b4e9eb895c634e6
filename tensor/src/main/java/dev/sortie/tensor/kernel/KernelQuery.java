package dev.sortie.tensor.kernel;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/** A call of a kernel that has a result and changes no operand; checked as a {@link KernelCall}. */
public sealed interface KernelQuery {

  /** The type that the call computes in. */
  DType dtype();

  /** The same call on the operands that {@code binding} gives for these. */
  KernelQuery bind(KernelCall.Binding binding);

  /** {@link Kernels#sum} or {@link Kernels#sumSquares} of tensors of any types. */
  record Sum(List<Span> tensors, boolean squares) implements KernelQuery {
    /** F32 where all tensors are, else F64. */
    @Override
    public DType dtype() {
      for (Span x : tensors) {
        if (x.dtype() != DType.F32) {
          return DType.F64;
        }
      }
      return DType.F32;
    }

    @Override
    public Sum bind(KernelCall.Binding b) {
      return new Sum(tensors.stream().map(b::read).toList(), squares);
    }
  }

  /** {@link Kernels#pack}. */
  record Pack(Span w, int n, int k, Allocator memory) implements KernelQuery {
    public Pack {
      Operands.sizes("pack w", n, k);
      Operands.weight("pack w", w, w.dtype(), n, k);
    }

    @Override
    public DType dtype() {
      return w.dtype() == DType.F64 ? DType.F64 : DType.F32;
    }

    @Override
    public Pack bind(KernelCall.Binding b) {
      return new Pack(b.read(w), n, k, memory);
    }
  }

  /** {@link Kernels#tile}. */
  record Tile(Span w, int n, int k, Allocator memory) implements KernelQuery {
    public Tile {
      Operands.sizes("tile w", n, k);
      Operands.weight("tile w", w, w.dtype(), n, k);
      if (TileType.of(w.dtype()).isEmpty()) {
        throw new IllegalArgumentException(
            "tile w is " + w.dtype() + ", which has no tiles; multiply with it as it is");
      }
    }

    /** Memory for the tiles, of so many rows each. */
    public TiledWeight allocate(int lanes) {
      TileType type = TileType.of(w.dtype()).orElseThrow();
      long elements = TiledWeight.elements(type, lanes, n, k);
      return new TiledWeight(type, lanes, memory.allocate(DType.I32, elements).span(), n, k);
    }

    @Override
    public DType dtype() {
      return DType.F32;
    }

    @Override
    public Tile bind(KernelCall.Binding b) {
      return new Tile(b.read(w), n, k, memory);
    }
  }
}

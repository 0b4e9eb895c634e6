package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * One gradient for each parameter of a fixed set, kept over steps; backward passes add to them,
 * which is gradient accumulation.
 */
public final class Gradients {
  private final Map<Tensor, Tensor> table = new IdentityHashMap<>();

  /** Zero gradients for {@code parameters}, in memory of {@code allocator}. */
  public Gradients(Allocator allocator, Kernels kernels, Collection<Tensor> parameters) {
    for (Tensor p : parameters) {
      if (!p.isParameter()) {
        throw new IllegalArgumentException("not a parameter: " + p);
      }
      Tensor g = Tensor.allocate(allocator, p.dtype(), p.shape());
      kernels.fill(g.span(), 0);
      table.put(p, g);
    }
  }

  /** The gradient of {@code parameter}. */
  public Tensor of(Tensor parameter) {
    Tensor g = table.get(parameter);
    if (g == null) {
      throw new IllegalArgumentException("no gradient is kept for " + parameter);
    }
    return g;
  }

  /** Whether a gradient is kept for {@code parameter}. */
  public boolean has(Tensor parameter) {
    return table.containsKey(parameter);
  }

  /** Sets all gradients to zero. */
  public void zero(Kernels kernels) {
    table.values().forEach(g -> kernels.fill(g.span(), 0));
  }
}

package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * One gradient for each parameter of a fixed set, kept over steps; backward passes add to them,
 * which is gradient accumulation. A gradient of zero is only noted: the first that is added
 * overwrites the memory.
 */
public final class Gradients {
  private final Map<Tensor, Entry> table = new IdentityHashMap<>();
  private final Kernels kernels;

  private static final class Entry {
    private final Tensor gradient;
    private boolean zero = true;

    Entry(Tensor gradient) {
      this.gradient = gradient;
    }
  }

  /** Zero gradients for {@code parameters}, in memory of {@code allocator}. */
  public Gradients(Allocator allocator, Kernels kernels, Collection<Tensor> parameters) {
    this.kernels = kernels;
    for (Tensor p : parameters) {
      if (!p.isParameter()) {
        throw new IllegalArgumentException("not a parameter: " + p);
      }
      table.put(p, new Entry(Tensor.allocate(allocator, p.dtype(), p.shape())));
    }
  }

  /**
   * Zero gradients in memory of the caller.
   *
   * @param gradients by parameter, of its type and shape
   */
  public Gradients(Kernels kernels, Map<Tensor, Tensor> gradients) {
    this.kernels = kernels;
    gradients.forEach(
        (p, g) -> {
          if (!p.isParameter() || g.dtype() != p.dtype() || !g.shape().equals(p.shape())) {
            throw new IllegalArgumentException(g + " is no gradient of a parameter like " + p);
          }
          table.put(p, new Entry(g));
        });
  }

  private Entry entry(Tensor parameter) {
    Entry e = table.get(parameter);
    if (e == null) {
      throw new IllegalArgumentException("no gradient is kept for " + parameter);
    }
    return e;
  }

  /** The gradient of {@code parameter}. */
  public Tensor of(Tensor parameter) {
    Entry e = entry(parameter);
    if (e.zero) {
      kernels.fill(e.gradient.span(), 0);
      e.zero = false;
    }
    return e.gradient;
  }

  /** The gradient of {@code parameter} for a vjp that adds to it, or overwrites it if it is 0. */
  Sink.Target target(Tensor parameter) {
    Entry e = entry(parameter);
    boolean first = e.zero;
    e.zero = false;
    return new Sink.Target(e.gradient.span(), !first);
  }

  /** Whether a gradient is kept for {@code parameter}. */
  public boolean has(Tensor parameter) {
    return table.containsKey(parameter);
  }

  /** Sets the gradients of some parameters to zero. */
  public void zero(Collection<Tensor> parameters) {
    parameters.forEach(p -> entry(p).zero = true);
  }

  /** Sets all gradients to zero. */
  public void zero() {
    table.values().forEach(e -> e.zero = true);
  }
}

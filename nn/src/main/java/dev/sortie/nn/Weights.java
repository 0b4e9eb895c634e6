package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import java.util.Optional;

/**
 * Where a module gets its tensors by name: a file, random initialisation, another module. Modules
 * are built by asking for what they need, so one description of a module serves loading,
 * initialising, copying and saving.
 */
@FunctionalInterface
public interface Weights {
  /**
   * The tensor of this name.
   *
   * @param role how it is used, which decides its initialisation
   * @throws InputException if there is none or its shape is not {@code shape}, naming both
   */
  Tensor get(String name, Shape shape, Role role);

  /** The tensor of this name if {@code wanted}. */
  default Optional<Tensor> getIf(boolean wanted, String name, Shape shape, Role role) {
    return wanted ? Optional.of(get(name, shape, role)) : Optional.empty();
  }

  /**
   * The basis of a projection that is a product, {@code [R, inputs]}; empty where it has a matrix
   * of its own.
   *
   * @param name of the projection
   */
  default Optional<Tensor> basis(String name, long inputs, long outputs) {
    return Optional.empty();
  }

  /** These weights with {@code prefix} put before each name. */
  default Weights under(String prefix) {
    Weights all = this;
    return new Weights() {
      @Override
      public Tensor get(String name, Shape shape, Role role) {
        return all.get(prefix + name, shape, role);
      }

      @Override
      public Optional<Tensor> basis(String name, long inputs, long outputs) {
        return all.basis(prefix + name, inputs, outputs);
      }
    };
  }

  /** What a tensor is for. */
  enum Role {
    /** Token table. */
    EMBEDDING,
    /** Matrix that reads the residual stream (q, k, v, gate, up, head). */
    INPUT_PROJECTION,
    /**
     * Matrix that writes into the residual stream (attention output, down): smaller at the start,
     * by depth.
     */
    OUTPUT_PROJECTION,
    /** Scale of a norm. */
    NORM,
    /** Bias. */
    BIAS
  }
}

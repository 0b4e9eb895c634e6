package dev.sortie.parallel.comm;

/** In which order a reduction adds what the ranks give. */
public enum Order {
  /**
   * {@code ((x₀ + x₁) + x₂) + …}, by position in the group: the same bits whatever the algorithm,
   * the transport and the timing.
   */
  ASCENDING,
  /**
   * As suits the algorithm, which is chosen from measured speeds: floats may differ in their last
   * bits from one job to the next. All ranks still get the same bits.
   */
  ANY
}

package dev.sortie.parallel.mesh;

/**
 * An axis of a {@link Mesh}, in the order of ranks: neighbours along the first one have
 * neighbouring ranks, since tensor parallelism talks most. (Axes belong to the mesh, dims to
 * tensors.)
 */
public enum Axis {
  /**
   * Tensor parallelism: the ranks of a group hold slices of the same layers; with sequence
   * parallelism they share out the tokens too.
   */
  TP,
  /** Data parallelism: whole replicas that see other data. */
  DP,
  /** Pipeline parallelism: consecutive stages of layers. */
  PP
}

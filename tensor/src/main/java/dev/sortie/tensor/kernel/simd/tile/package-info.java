/**
 * Products of up to 16 rows of x with quantised weights in tiles, in 16-bit integers, at every
 * vector width. {@link dev.sortie.tensor.kernel.simd.tile.TileProducts} is the entry: x is rounded,
 * groups are summed up, sums are scaled. The kernels are generated: one class a form of levels for
 * the sums, one class a type for the scaling.
 */
package dev.sortie.tensor.kernel.simd.tile;

/**
 * Products with quantised weights in tiles, at every vector width. {@link
 * dev.sortie.tensor.kernel.simd.tile.TileProducts} is the entry. In 16-bit integers: x is rounded,
 * groups are summed up, sums are scaled. In F32 where levels have 8 bits. The kernels are
 * generated: one class a form of levels for the sums, one class a type for the scaling, and one
 * class a type for products in F32.
 */
package dev.sortie.tensor.kernel.simd.tile;

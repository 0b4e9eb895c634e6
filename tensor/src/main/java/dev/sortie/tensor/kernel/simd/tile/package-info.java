/**
 * Products of up to 16 rows of x with quantised weights in tiles, in 16-bit integers, at every
 * vector width. {@link dev.sortie.tensor.kernel.simd.tile.TileProducts} is the entry; the kernels
 * are generated, one class a type.
 */
package dev.sortie.tensor.kernel.simd.tile;

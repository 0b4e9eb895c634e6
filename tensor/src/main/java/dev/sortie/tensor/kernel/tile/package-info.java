/**
 * Quantised weights in tiles, for products in integer arithmetic, or in F32 where levels have 8
 * bits. {@link dev.sortie.tensor.kernel.tile.TileType} says how a type lies in a tile, {@link
 * dev.sortie.tensor.kernel.tile.TilePacking} puts it there, and {@link
 * dev.sortie.tensor.kernel.tile.QuantisedRow} prepares a row of x to match. The scalar reference
 * and the vector kernels share all three, so that a product has the same bits at every vector
 * width.
 */
package dev.sortie.tensor.kernel.tile;

/**
 * Quantised weights in tiles, for products in integer arithmetic of few rows. {@link
 * dev.sortie.tensor.kernel.tile.TileType} says how a type lies in a tile, {@link
 * dev.sortie.tensor.kernel.tile.TilePacking} puts it there, and {@link
 * dev.sortie.tensor.kernel.tile.QuantisedRow} rounds a row of x to match. The scalar reference and
 * the vector kernels share all three, so that a product has the same bits at every vector width.
 */
package dev.sortie.tensor.kernel.tile;

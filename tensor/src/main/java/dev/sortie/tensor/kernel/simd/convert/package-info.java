/**
 * Between F32 and the stored types, halves and quantised blocks, many elements at a time. A new
 * quantised type adds its decoder here; its bits are those of {@code tensor.dtype}, which defines
 * the layouts. It must not know what its results are multiplied with.
 */
package dev.sortie.tensor.kernel.simd.convert;

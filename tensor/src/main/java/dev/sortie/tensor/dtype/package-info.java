/**
 * The types of elements, and how quantised types are stored: {@link dev.sortie.tensor.dtype.Blocks}
 * draws each block and decodes it the slow, obvious way, the encoders write them. A new type begins
 * here. This package knows neither memory nor kernels.
 */
package dev.sortie.tensor.dtype;

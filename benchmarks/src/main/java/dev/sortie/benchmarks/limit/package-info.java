/**
 * What the machine can do: multiply-adds a second and bytes read a second, measured in the same run
 * as the figures that are held against them. A limit is measured, never looked up. It knows no
 * kernels of the product.
 */
package dev.sortie.benchmarks.limit;

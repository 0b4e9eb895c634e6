/**
 * Bases that layers share: the inputs of projections seen on calibration text, and the products of
 * basis and coefficients nearest to the projections on such inputs. Whoever converts a model comes
 * in by {@link dev.sortie.nn.basis.BasisCalibration} and leaves with {@link
 * dev.sortie.nn.basis.GroupFactors}. Linear algebra in F64 is EJML's, which no other package uses.
 */
package dev.sortie.nn.basis;

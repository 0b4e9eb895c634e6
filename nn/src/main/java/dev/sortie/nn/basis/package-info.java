/**
 * Bases that layers share: the inputs of projections seen on calibration text, and the products of
 * basis and coefficients nearest to the projections on such inputs. Linear algebra in F64 is
 * EJML's.
 */
package dev.sortie.nn.basis;

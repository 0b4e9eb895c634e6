/**
 * The communicator as its users see it: collectives as data, element types, orders of summation,
 * options, failures. The order of {@link dev.sortie.parallel.comm.Algorithm} and the codes of
 * {@link dev.sortie.parallel.comm.Operation} are part of the wire format; the rest may grow. Knows
 * neither transports nor algorithms, only the groups of the mesh.
 */
package dev.sortie.parallel.comm;

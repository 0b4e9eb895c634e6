/**
 * Bytes between ranks that an MPI launcher has started, through its library. Another MPI is a row
 * in {@code MpiAbi}. No call may block but the first and the last, and sums are not MPI's: it moves
 * bytes only.
 */
package dev.sortie.parallel.comm.transport.mpi;

/**
 * The seam between ranks: byte streams, shared memory, the first failure of a job, and how a loop
 * waits. A new transport implements {@link dev.sortie.parallel.comm.transport.Transport} in a
 * package of its own and passes the communicator's suite. Knows no calls, types or sums.
 */
package dev.sortie.parallel.comm.transport;

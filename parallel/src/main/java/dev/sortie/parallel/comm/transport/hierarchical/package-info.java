/**
 * Shared memory between the ranks of a host and TCP between hosts, and how ranks find out who is on
 * which host. What tells hosts apart may be refined; sums must not depend on it. Stands on the two
 * transports that it combines.
 */
package dev.sortie.parallel.comm.transport.hierarchical;

/**
 * Communicators over a transport: which call runs on which thread, messages between two members,
 * splits. {@link dev.sortie.parallel.comm.group.GroupCommunicator#over} is where a job gets its
 * communicator. Stands above algorithms, messages and the transport seam, and knows no transport by
 * name.
 */
package dev.sortie.parallel.comm.group;

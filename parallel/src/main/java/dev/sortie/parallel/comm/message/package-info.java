/**
 * Messages between the members of a group, each with a header that says to which call it belongs.
 * The 48 bytes of {@code Header} are the wire format: they stay as they are, and ranks that made
 * different calls get a line that names both. Knows endpoints that move bytes; neither algorithms
 * nor what is summed. Not exported.
 */
package dev.sortie.parallel.comm.message;

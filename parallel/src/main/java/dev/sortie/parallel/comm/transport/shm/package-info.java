/**
 * Ranks that see the same memory: threads of one JVM, and processes of one machine through mapped
 * files. The bytes of {@code RingLayout}, {@code ControlLayout} and {@code SharedFileLayout} are
 * what processes agree on, and {@code RingStressTest} guards the order of reads and writes. Knows
 * no network.
 */
package dev.sortie.parallel.comm.transport.shm;

/**
 * Ranks on any machines over TCP: the rendezvous at rank 0, the proof of the job's secret, TLS,
 * data and control connections. The bytes of {@code Handshake} and {@code FrameLayout} are the
 * protocol and stay as they are; nothing that a peer says is believed before it has proved the
 * secret. Knows no shared memory.
 */
package dev.sortie.parallel.comm.transport.tcp;

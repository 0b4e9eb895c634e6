/**
 * The seam {@code serve.http} on Netty: the only package that sees that library. Netty reads a
 * connection while its request is being answered, so that a client's departure is known within
 * milliseconds, also in a plain request; the JDK's own server reads nothing until the answer is
 * written. It has limits on headers, tells a slow reader from a fast one, and does TLS with the
 * JDK's engine; no native library is used.
 */
package dev.sortie.eetuning.serve.netty;

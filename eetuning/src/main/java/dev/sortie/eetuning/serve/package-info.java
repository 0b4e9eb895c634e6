/**
 * A server: the model behind HTTP, from its start to its end. The packages below hold one idea
 * each: {@code http} the seam to a library of HTTP, {@code netty} that library, {@code engine} the
 * thread that computes, {@code api} what is asked and answered. Nothing below knows this package.
 */
package dev.sortie.eetuning.serve;

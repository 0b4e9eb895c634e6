/**
 * Eager ops with reverse-mode gradients. An op is a record with its shape rule, forward and vjp,
 * and {@link dev.sortie.tensor.autograd.Op} is the table of all. A new one needs a
 * finite-difference case, or the build fails. Ops call kernels and own no loop.
 */
package dev.sortie.tensor.autograd;

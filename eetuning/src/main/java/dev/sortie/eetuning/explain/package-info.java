/**
 * One token's way through a model: which kernels each layer ran on what, what each exit says, and
 * which layers were computed later. Uses the decoding of one text ({@code decode.single}) as it is,
 * with kernels and an exit policy that are observed. Knows neither the command line nor HTTP, which
 * both show what is found here.
 */
package dev.sortie.eetuning.explain;

/**
 * One rank's part of a decoder's weights, and the collectives between parts as differentiable ops.
 * Every op has a finite-difference case, or a test fails; sums ascend by rank. Uses the
 * communicator through {@code ShardGroup} and meets modules only through {@code Sharding}.
 */
package dev.sortie.parallel.shard;

package dev.sortie.parallel.shard;

import dev.sortie.tensor.autograd.ForeignOp;

/**
 * A differentiable op in which ranks take part together. Two kinds of tensors pass: <em>equal</em>
 * ones, the same bits on each rank, whose gradient every rank has whole; and <em>own</em> ones,
 * each rank's share, whose gradient the rank has for its share. The loss is equal, and counted
 * once. Then the adjoint of each collective is another one, its conjugate:
 *
 * <pre>
 * op               forward                              vjp, given dy
 * Copy             y = x, equal to own                  dx += Σ ranks dy
 * AllReduce        y = Σ ranks x, own to equal          dx += dy
 * Split            y = rows of x, equal to own          dx += dy of all ranks
 * Gather           y = rows of all ranks, to equal      dx += own rows of dy
 * AllGather        y = rows of all ranks, to own        dx += own rows of Σ ranks dy
 * ReduceScatter    y = own rows of Σ ranks x            dx += dy of all ranks
 * GatherColumns    y = columns of all ranks, to equal   dx += own columns of dy
 * RowLinear        y = Σ ranks x Wᵀ + b                 dx += dy W, dW += dyᵀ x, db += Σ rows dy
 * VocabEmbedding   y = Σ ranks own rows of W[ids]       dW[own ids] += dy
 * LinearCrossEntropy, LinearKl: Σ rows of lse(z) - z[target], of KL(softmax(t) ‖ softmax(z)), with
 *                  z = x Wᵀ, own columns                dx, dW are computed with the loss, times dy
 * </pre>
 *
 * A test fails when one of them has no finite-difference case.
 */
public sealed interface ShardOp extends ForeignOp
    permits Regions.Copy,
        Regions.AllReduce,
        Regions.Split,
        Regions.Gather,
        Regions.AllGather,
        Regions.ReduceScatter,
        Regions.GatherColumns,
        ShardLinears.RowLinear,
        ShardLinears.VocabEmbedding,
        VocabHeads.LinearCrossEntropy,
        VocabHeads.LinearKl {}

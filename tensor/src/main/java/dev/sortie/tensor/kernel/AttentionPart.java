package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * One sequence of {@link Kernels#attention(List)}.
 *
 * @param q queries {@code [queries, heads, headSize]}
 * @param k runs of keys in the order of positions, {@code [n, kvHeads, headSize]} each
 * @param v the values, in runs of the same lengths
 * @param out like {@code q}
 * @param lse {@code [heads, queries]}
 * @param shape of batch 1
 */
public record AttentionPart(
    Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape shape) {}

package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;
import java.util.List;

/** The kernels of attention as methods, with the conventions of {@link KernelMethods}. */
public sealed interface AttentionMethods permits KernelMethods {

  /** See {@link Kernels#run}. */
  void run(KernelCall call);

  /**
   * Rotary position embedding (arXiv 2104.09864): a pair {@code (a, b)} becomes {@code (a cos - b
   * sin, b cos + a sin)}. {@code x} and {@code y} may be the same.
   *
   * @param cos {@code [positions, rotary / 2]}
   * @param sin the same shape
   * @param inverse rotate back: the vjp
   */
  default void rope(Span x, Span cos, Span sin, Span y, RopeShape shape, boolean inverse) {
    run(new AttentionCall.Rope(x, cos, sin, y, shape, inverse));
  }

  /**
   * {@code out = softmax(scale · q kᵀ, causal) v}, also within a window, and {@code lse}, the
   * log-sum-exp of each row of scores. No {@code T×T} matrix is stored. k, v: F32 or BF16.
   */
  default void attention(Span q, Span k, Span v, Span out, Span lse, AttentionShape shape) {
    run(new AttentionCall.Attention(q, k, v, out, lse, shape));
  }

  /**
   * {@link #attention} of one sequence whose keys and values lie in several places; the same bits.
   *
   * @param k runs of keys in the order of positions, {@code [n, kvHeads, headSize]} each
   * @param v the values, in runs of the same lengths
   */
  default void attention(
      Span q, List<Span> k, List<Span> v, Span out, Span lse, AttentionShape shape) {
    run(new AttentionCall.OverRuns(q, k, v, out, lse, shape));
  }

  /** {@link #attention} of several sequences, with the bits that each has alone. */
  default void attention(List<AttentionCall.OverRuns> sequences) {
    run(new AttentionCall.OfSequences(sequences));
  }

  /**
   * {@code dq = …; dk = …; dv = …}, from the saved {@code out} and {@code lse}; all three are
   * computed and overwritten.
   */
  default void attentionBackward(
      Span q,
      Span k,
      Span v,
      Span out,
      Span lse,
      Span dout,
      Span dq,
      Span dk,
      Span dv,
      AttentionShape shape) {
    attentionBackward(q, k, v, out, lse, dout, null, dq, dk, dv, shape);
  }

  /**
   * As above where the log-sum-exp has a gradient too.
   *
   * @param dlse {@code [batch, heads, queries]}; null: none
   */
  default void attentionBackward(
      Span q,
      Span k,
      Span v,
      Span out,
      Span lse,
      Span dout,
      Span dlse,
      Span dq,
      Span dk,
      Span dv,
      AttentionShape shape) {
    run(new AttentionCall.AttentionBackward(q, k, v, out, lse, dout, dlse, dq, dk, dv, shape));
  }

  /**
   * Adds a token to each softmax of an {@link #attention} that is done, one whose value is zero:
   * with {@code z = scale · u · key} and {@code share = e^z / (e^z + e^lse)}, {@code out *= 1 -
   * share} and {@code lse = log(e^z + e^lse)}. A row has the same bits whatever stands beside it.
   *
   * @param u queries that are compared with the token, {@code [batch, queries, heads, headSize]}
   * @param key {@code [kvHeads, headSize]}
   * @param share {@code [batch, queries, heads]}: what the token takes of each softmax
   */
  default void zeroToken(Span u, Span key, Span out, Span lse, Span share, AttentionShape shape) {
    run(new AttentionCall.ZeroToken(u, key, out, lse, share, shape));
  }

  /**
   * {@code du = …; dkey = …; dlse = …}, all three overwritten. With {@code dlse}, {@link
   * #attentionBackward} on {@code out} and {@code lse} as {@link #zeroToken} left them gives the
   * other gradients.
   *
   * @param out as {@link #zeroToken} left it
   * @param dshare {@code [batch, queries, heads]}
   */
  default void zeroTokenBackward(
      Span u,
      Span key,
      Span out,
      Span share,
      Span dout,
      Span dshare,
      Span du,
      Span dkey,
      Span dlse,
      AttentionShape shape) {
    run(
        new AttentionCall.ZeroTokenBackward(
            u, key, out, share, dout, dshare, du, dkey, dlse, shape));
  }
}

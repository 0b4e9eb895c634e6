package dev.sortie.parallel.shard;

import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;

/**
 * Losses of logits whose vocabulary is shared out; each rank's logits are its own, the losses
 * equal. Some rows at a time, as {@link VocabHeads} computes them.
 *
 * <p>Each rank computes as if its part were all there is, and one all-gather of a few numbers per
 * row puts the parts together: with {@code s_p = lse_p - lse} the logarithm of what rank p's part
 * has of the probability,
 *
 * <pre>
 * lse          = log Σ_p exp(lse_p)
 * crossEntropy = lse - logit of the target, which one rank knows
 * KL           = Σ_p exp(s_p of the teacher) (KL_p + s_p of the teacher - s_p)
 * </pre>
 *
 * the last by the chain rule of KL over "which part, and which token of it". The gradient needs no
 * collective: kernels take the log-sum-exps as numbers.
 */
final class VocabLosses {
  private VocabLosses() {}

  /**
   * Losses and the log-sum-exp of all ranks from what this rank computed of {@code count} rows.
   *
   * @param vocab this rank's tokens
   * @param logits {@code [rows, vocab.count]}
   * @param targets of the whole vocabulary
   * @param local the same as this rank sees them, see {@link LocalTargets}
   * @param loss results
   * @param lse results
   */
  record CrossEntropyRows(
      ShardRange vocab, Span logits, Span targets, Span local, Span loss, Span lse) {
    static final int KINDS = 2;

    /** Computes this rank's numbers. */
    void prepare(Kernels k, RowStatistics statistics) {
      int rows = statistics.rows();
      int cols = Math.toIntExact(vocab.count());
      k.crossEntropy(logits, local, loss, lse, rows, cols);
      k.copy(lse, statistics.mine(0));
      Span logit = statistics.mine(1);
      for (int r = 0; r < rows; r++) {
        boolean mine = vocab.holds(targets.getInt(r));
        logit.set(r, mine ? logits.get((long) r * cols + local.getInt(r)) : 0);
      }
    }

    /** Puts the ranks' numbers together. */
    void finish(RowStatistics statistics) {
      for (int r = 0; r < statistics.rows(); r++) {
        double whole = statistics.logSumExp(0, r);
        lse.set(r, whole);
        loss.set(r, targets.getInt(r) < 0 ? 0 : whole - statistics.sum(1, r));
      }
    }

    /**
     * {@code dlogits += dloss (softmax - onehot)}. The kernel subtracts one at the column that
     * stands in for another rank's target; that element is computed again.
     */
    void backward(Kernels k, Span dloss, Span dlogits) {
      int rows = Math.toIntExact(lse.length());
      int cols = Math.toIntExact(vocab.count());
      double[] first = new double[rows];
      for (int r = 0; r < rows; r++) {
        first[r] = dlogits.get((long) r * cols);
      }
      k.crossEntropyBackward(logits, local, lse, dloss, dlogits, rows, cols);
      for (int r = 0; r < rows; r++) {
        int target = targets.getInt(r);
        if (target >= 0 && !vocab.holds(target)) {
          long at = (long) r * cols;
          double p = StrictMath.exp(logits.get(at) - lse.get(r));
          dlogits.set(at, first[r] + dloss.get(r) * p);
        }
      }
    }
  }

  /**
   * The same for KL.
   *
   * @param vocab this rank's tokens
   * @param logits {@code [rows, vocab.count]}
   * @param teacher the same shape
   * @param loss results
   * @param lse results
   * @param teacherLse results
   */
  record KlRows(ShardRange vocab, Span logits, Span teacher, Span loss, Span lse, Span teacherLse) {
    static final int KINDS = 3;

    /** Computes this rank's numbers. */
    void prepare(Kernels k, RowStatistics statistics) {
      int cols = Math.toIntExact(vocab.count());
      k.kl(logits, teacher, loss, lse, teacherLse, statistics.rows(), cols);
      k.copy(loss, statistics.mine(0));
      k.copy(lse, statistics.mine(1));
      k.copy(teacherLse, statistics.mine(2));
    }

    /** Puts the ranks' numbers together. */
    void finish(RowStatistics statistics) {
      int ranks = statistics.group().size();
      for (int r = 0; r < statistics.rows(); r++) {
        double student = statistics.logSumExp(1, r);
        double whole = statistics.logSumExp(2, r);
        double sum = 0;
        for (int rank = 0; rank < ranks; rank++) {
          double p = statistics.of(rank, 2, r) - whole;
          double q = statistics.of(rank, 1, r) - student;
          sum += StrictMath.exp(p) * (statistics.of(rank, 0, r) + (p - q));
        }
        loss.set(r, sum);
        lse.set(r, student);
        teacherLse.set(r, whole);
      }
    }

    /** {@code dlogits += dloss (softmax - softmax of the teacher)}. */
    void backward(Kernels k, Span dloss, Span dlogits) {
      int rows = Math.toIntExact(lse.length());
      int cols = Math.toIntExact(vocab.count());
      k.klBackward(logits, teacher, lse, teacherLse, dloss, dlogits, rows, cols);
    }
  }
}

package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.AdamWCall;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Loops over many tensors in one parallel region: the blocks of all of them are one list, which the
 * threads share. A model has many tensors of a few hundred elements, and a region costs more than
 * such a tensor.
 */
final class ManyTensors {
  private ManyTensors() {}

  /** Elements {@code [from, from + count)} of a tensor, block {@code b} of all. */
  @FunctionalInterface
  private interface Block {
    void run(int tensor, long from, long count, int b);
  }

  /** First block of each tensor, and the number of all. */
  private static int[] firstBlocks(List<Span> tensors) {
    int[] first = new int[tensors.size() + 1];
    for (int t = 0; t < tensors.size(); t++) {
      first[t + 1] = Math.addExact(first[t], Split.blocks(tensors.get(t).length()));
    }
    return first;
  }

  private static void blocks(WorkerPool pool, List<Span> tensors, int[] first, Block task) {
    pool.range(
        first[tensors.size()],
        Split.grain(Split.BLOCK),
        (from, to) -> {
          int t = 0;
          for (int b = from; b < to; b++) {
            while (first[t + 1] <= b) {
              t++;
            }
            long start = (long) (b - first[t]) * Split.BLOCK;
            task.run(t, start, Math.min(Split.BLOCK, tensors.get(t).length() - start), b);
          }
        });
  }

  static double sum(WorkerPool pool, KernelQuery.Sum call) {
    List<Span> tensors = call.tensors();
    int[] first = firstBlocks(tensors);
    double[] parts = new double[first[tensors.size()]];
    long[] x = tensors.stream().mapToLong(Span::address).toArray();
    blocks(
        pool,
        tensors,
        first,
        call.squares()
            ? (t, from, count, b) -> parts[b] = Sums.blockSquares(x[t] + 4 * from, count)
            : (t, from, count, b) -> parts[b] = Sums.block(x[t] + 4 * from, count));
    double all = 0;
    for (int t = 0; t < tensors.size(); t++) {
      double sum = 0;
      for (int b = first[t]; b < first[t + 1]; b++) {
        sum += parts[b];
      }
      all += sum;
    }
    return all;
  }

  static void adamW(WorkerPool pool, List<AdamWCall.Update> updates) {
    List<Span> params = updates.stream().map(AdamWCall.Update::param).toList();
    long[] p = params.stream().mapToLong(Span::address).toArray();
    long[] g = updates.stream().mapToLong(u -> u.grad().address()).toArray();
    long[] m = updates.stream().mapToLong(u -> u.m().address()).toArray();
    long[] v = updates.stream().mapToLong(u -> u.v().address()).toArray();
    blocks(
        pool,
        params,
        firstBlocks(params),
        (t, from, count, b) -> {
          long at = 4 * from;
          AdamWCall options = updates.get(t).options();
          Elementwise.adamW(p[t] + at, g[t] + at, m[t] + at, v[t] + at, count, options);
        });
  }
}

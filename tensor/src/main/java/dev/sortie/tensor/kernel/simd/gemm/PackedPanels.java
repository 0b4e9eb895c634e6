package dev.sortie.tensor.kernel.simd.gemm;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.memory.Span;
import java.lang.ref.Reference;

/**
 * Weights packed ahead: panel p holds {@code [k, NR]}, the outputs {@code p * NR ..} at each k,
 * padded with zeros. A panel of any block of K is a run of it.
 */
public final class PackedPanels {
  private static final int NR = Gemm.NR;

  /** The name of this order, which depends on the width of vectors only. */
  public static final String LAYOUT = "panels" + NR;

  private PackedPanels() {}

  /** Address of panel {@code panel} from {@code pc} on, in a packed weight at {@code base}. */
  static long address(long base, int k, int panel, int pc) {
    return base + 4L * NR * ((long) panel * k + pc);
  }

  /** Packs {@code w[n,k]}; each thread touches its panels first. */
  public static PackedWeight pack(WorkerPool pool, KernelQuery.Pack call) {
    Span w = call.w();
    int n = call.n();
    int k = call.k();
    int panels = Gemm.panels(n, NR);
    Span values = call.memory().allocate(DType.F32, (long) panels * NR * k).span();
    long scratchBytes = PackRight.SCRATCH_BYTES;
    pool.range(
        panels,
        1,
        (from, to) -> {
          GemmBuffers buffers = new GemmBuffers();
          buffers.reserveScratch(1, scratchBytes);
          PackRight right =
              new PackRight(
                  true, n, k, w.address(), new RightOperand.Rows(w.dtype()), buffers.scratch(0));
          try {
            for (int panel = from; panel < to; panel++) {
              pack(right, panel, values.address());
            }
          } finally {
            Reference.reachabilityFence(buffers); // right has the address of its scratch alone
          }
        });
    return new PackedWeight(LAYOUT, values, n, k);
  }

  private static void pack(PackRight right, int panel, long base) {
    int k = right.k();
    int step = Gemm.blockOfK(k);
    int from = panel * NR;
    int to = Math.min(right.n(), from + NR);
    for (int pc = 0; pc < k; pc += step) {
      right.run(pc, Math.min(step, k - pc), from, to, address(base, k, panel, pc));
    }
  }
}

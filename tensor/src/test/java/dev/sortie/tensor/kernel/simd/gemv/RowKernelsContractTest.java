package dev.sortie.tensor.kernel.simd.gemv;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.TestSpans;
import dev.sortie.tensor.kernel.simd.vector.Trials;
import dev.sortie.tensor.memory.Span;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One row of x has the same bits whether weight rows are taken one by one or two at a time. */
class RowKernelsContractTest {
  /** More than a round of trials has. */
  private static final int CALLS = 20;

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void pairsOfWeightRowsChangeNoBit(DType type) {
    assertThat(RowKernels.of(type, 1).onePairs()).isNotNull();
    try (TestSpans spans = new TestSpans(5)) {
      for (int k : new int[] {16, 100, 576}) {
        for (int n : new int[] {64, 131, 700}) {
          Span x = spans.gaussians(DType.F32, k);
          Span w = spans.gaussians(type, (long) n * k);
          Span expected = spans.allocate(DType.F32, n);
          run(x, w, expected, n, k, new Trials(DType.values().length * Long.SIZE, Long.MAX_VALUE));
          Trials trials = new Trials(DType.values().length * Long.SIZE, 1);
          for (int call = 0; call < CALLS; call++) {
            Span y = spans.allocate(DType.F32, n);
            run(x, w, y, n, k, trials);
            assertThat(y.segment().mismatch(expected.segment()))
                .as("first byte that differs, [%d, %d], call %d", n, k, call)
                .isEqualTo(-1);
          }
        }
      }
    }
  }

  private static void run(Span x, Span w, Span y, int n, int k, Trials trials) {
    GemvRows rows =
        new GemvRows(x.address(), w.address(), w.dtype(), 0, y.address(), 1, n, k, trials);
    try (TestSpans scratch = new TestSpans(0)) {
      rows.run(0, n, scratch.allocate(DType.F32, rows.scratchBytes() / 4).address());
    }
  }
}

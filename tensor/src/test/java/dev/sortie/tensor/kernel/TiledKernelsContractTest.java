package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** In attention of many queries the first positions are early, of few nothing is changed. */
class TiledKernelsContractTest {
  private final List<KernelCall> ran = new ArrayList<>();
  private final TiledKernels kernels =
      new TiledKernels(
          new ObservedKernels(new ScalarKernels(), (asked, call, nanos) -> ran.add(call)));

  private static AttentionCall.Attention attention(NativeArena arena, AttentionShape s) {
    Span q = arena.allocate(DType.F32, s.queryElements()).span();
    Span k = arena.allocate(DType.F32, s.keyElements()).span();
    Span out = arena.allocate(DType.F32, s.queryElements()).span();
    Span lse = arena.allocate(DType.F32, s.rows()).span();
    return new AttentionCall.Attention(q, k, k, out, lse, s);
  }

  private static AttentionCall.OverRuns overRuns(NativeArena arena, AttentionShape s) {
    AttentionCall.Attention c = attention(arena, s);
    return new AttentionCall.OverRuns(c.q(), List.of(c.k()), List.of(c.v()), c.out(), c.lse(), s);
  }

  @Test
  void attentionOfManyQueriesKnowsOfEarlyPositions() {
    AttentionShape many = new AttentionShape(1, 17, 20, 2, 1, 4, 0.5, 7);
    AttentionShape few = new AttentionShape(1, 16, 20, 2, 1, 4, 0.5, 7);
    try (NativeArena arena = new NativeArena("test")) {
      AttentionCall.Attention plain = attention(arena, few);
      AttentionCall.OverRuns runs = overRuns(arena, few);
      List.of(plain, runs).forEach(kernels::run);
      assertThat(ran).containsExactly(plain, runs);
      ran.clear();
      kernels.run(attention(arena, many));
      kernels.run(overRuns(arena, many));
      kernels.run(new AttentionCall.OfSequences(List.of(overRuns(arena, many), runs)));
    }
    AttentionShape early = many.withEarly(TiledKernels.EARLY);
    assertThat(((AttentionCall.Attention) ran.get(0)).shape()).isEqualTo(early);
    assertThat(((AttentionCall.OverRuns) ran.get(1)).shape()).isEqualTo(early);
    AttentionCall.OfSequences both = (AttentionCall.OfSequences) ran.get(2);
    assertThat(both.sequences().get(0).shape()).isEqualTo(early);
    assertThat(both.sequences().get(1).shape().few()).isEqualTo(16);
  }
}

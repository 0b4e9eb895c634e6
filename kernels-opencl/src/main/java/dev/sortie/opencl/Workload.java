package dev.sortie.opencl;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a cut of a family is measured by: calls as decoding and reading a prompt with a model of
 * some 2048 features make them, on small integers.
 *
 * @param run the calls
 * @param results what they compute
 */
record Workload(Consumer<Kernels> run, List<Span> results) {
  private static final int FEATURES = 2048;
  private static final int TOKENS = 64;

  /** The workload of a family, in memory of the arena. */
  static Workload of(Family family, NativeArena arena) {
    return switch (family) {
      case ROWS -> rows(arena);
      case ATTENTION -> attention(arena);
      case WEIGHTS -> vectors(DType.BF16, arena);
      case BLOCKS -> vectors(DType.Q4_K, arena);
      case MATRIX -> matrix(arena);
    };
  }

  private static Span integers(NativeArena arena, int count) {
    Span span = arena.allocate(DType.F32, count).span();
    for (int i = 0; i < count; i++) {
      span.set(i, Trial.scattered(i));
    }
    return span;
  }

  private static Workload rows(NativeArena arena) {
    int count = TOKENS * FEATURES;
    Span x = integers(arena, count);
    Span w = integers(arena, FEATURES);
    Span normed = integers(arena, count);
    Span rstd = integers(arena, TOKENS);
    Span soft = integers(arena, count);
    Span gated = integers(arena, count);
    return new Workload(
        kernels -> {
          kernels.rmsNorm(x, w, 1, normed, rstd, TOKENS, FEATURES);
          kernels.softmax(x, soft, TOKENS / 16, 16 * FEATURES);
          kernels.swiglu(x, normed, gated);
        },
        List.of(normed, soft, gated));
  }

  private static Workload attention(NativeArena arena) {
    AttentionShape decode = new AttentionShape(1, 1, 512, 32, 8, 64, 0.125, Integer.MAX_VALUE);
    AttentionShape read = new AttentionShape(1, TOKENS, 128, 8, 8, 64, 0.125, Integer.MAX_VALUE);
    int queries = TOKENS * 8 * 64;
    Span q = integers(arena, queries);
    Span k = integers(arena, 512 * 8 * 64);
    Span v = integers(arena, 512 * 8 * 64);
    Span one = integers(arena, 32 * 64);
    Span many = integers(arena, queries);
    Span lse = integers(arena, TOKENS * 8);
    return new Workload(
        kernels -> {
          kernels.attention(q, k, v, one, lse, decode);
          kernels.attention(q, k, v, many, lse, read);
        },
        List.of(one, many));
  }

  /** One token's product. Blocks have any quanta, with scales of 0: their speed is the same. */
  private static Workload vectors(DType type, NativeArena arena) {
    Span x = integers(arena, FEATURES);
    Span w = arena.allocate(type, (long) FEATURES * FEATURES).span();
    if (!type.isQuantised()) {
      for (int i = 0; i < w.length(); i++) {
        w.set(i, Trial.scattered(i));
      }
    }
    Span y = integers(arena, FEATURES);
    return new Workload(
        kernels -> kernels.linear(x, w, null, y, 1, FEATURES, FEATURES), List.of(y));
  }

  private static Workload matrix(NativeArena arena) {
    int m = 4 * TOKENS;
    int n = FEATURES / 2;
    int k = FEATURES / 4;
    Span x = integers(arena, m * k);
    Span w = integers(arena, n * k);
    Span y = integers(arena, m * n);
    return new Workload(kernels -> kernels.linear(x, w, null, y, m, n, k), List.of(y));
  }
}

package dev.sortie.tensor.gen;

import java.util.Map;

/**
 * Generates the micro-kernels of {@code simd.gemm}: tiles of six rows by two and by four vectors.
 */
final class MicroKernelSources {
  private static final int ROWS = 6;

  private MicroKernelSources() {}

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    return Map.of(
        "gemm/MicroKernel2.java", file(2, "16 vector registers (SSE, AVX2)"),
        "gemm/MicroKernel4.java", file(4, "32 vector registers (AVX-512, NEON, SVE)"));
  }

  private static String file(int vectors, String registers) {
    String doc =
        """
        The micro-kernel for machines with %s: %d sums, %d loads of B, 1 broadcast of A. It computes
        a tile of %d rows by %d vectors from packed panels, each sum in ascending k with fma.

        <p>Sums are locals, for C2 keeps no array of vectors in registers. The loop ends by {@code
        !=}, for that is no counted loop to C2, which would unroll it, hoist loads and spill.

        <p>The panel of B is aligned in native memory: in an array, which the JVM aligns to 8 bytes,
        each vector of 512 bits lies in two cache lines, and six rows by four vectors ran at 99
        GFLOP/s, not 114 (Xeon, k = 576). The panel of A is an array, and what is added to C goes
        through {@link MicroTile}, so that this method is small to C2: each access to a memory
        segment parses some hundred nodes more, how many depends on what ran before in the JVM. With
        both panels in segments and a flag to add, which took its second value late, C2 passed its
        limit of nodes, stopped inlining and made an object of each sum: a training run made 350
        tokens/s instead of 2000.
        """
            .formatted(registers, ROWS * vectors, vectors, ROWS, vectors);
    String members =
        """
        static final int ROWS = %2$d;
        static final int VECTORS = %1$d;

        private MicroKernel%1$d() {}

        /**
         * {@code c = a · b}.
         *
         * @param kc length of the sums
         * @param a holds a panel {@code [kc, %2$d]} from {@code ai} on
         * @param b address of a panel {@code [kc, %1$d * lanes]}
         * @param c address of the tile's first element
         * @param ldc bytes from one row of c to the next
         */
        static void run(int kc, float[] a, int ai, long b, long c, long ldc) {
        %3$s
        }
        """
            .formatted(vectors, ROWS, body(vectors));
    return JavaSource.file(MicroKernelSources.class, "gemm", doc, "MicroKernel" + vectors, members);
  }

  private static JavaSource.Lines body(int vectors) {
    JavaSource.Lines out = new JavaSource.Lines();
    for (int r = 0; r < ROWS; r++) {
      for (int v = 0; v < vectors; v++) {
        out.line("FloatVector s%d%d = FloatVector.zero(F);".formatted(r, v));
      }
    }
    out.line("int end = ai + ROWS * kc;");
    out.line("long bk = b;");
    out.line("for (int ak = ai; ak != end; ak += ROWS) {");
    for (int v = 0; v < vectors; v++) {
      out.line(
          "FloatVector b%d = FloatVector.fromMemorySegment(F, MEMORY, bk%s, ORDER);"
              .formatted(v, JavaSource.plus(v, "BYTES")));
    }
    out.line("bk += VECTORS * BYTES;");
    for (int r = 0; r < ROWS; r++) {
      out.line(
          "%sx = FloatVector.broadcast(F, a[ak%s]);"
              .formatted(r == 0 ? "FloatVector " : "", r == 0 ? "" : " + " + r));
      for (int v = 0; v < vectors; v++) {
        out.line("s%1$d%2$d = x.fma(b%2$d, s%1$d%2$d);".formatted(r, v));
      }
    }
    out.line("}");
    for (int r = 0; r < ROWS; r++) {
      String row = "c" + JavaSource.plus(r, "ldc");
      for (int v = 0; v < vectors; v++) {
        out.line(
            "s%d%d.intoMemorySegment(MEMORY, %s%s, ORDER);"
                .formatted(r, v, row, JavaSource.plus(v, "BYTES")));
      }
    }
    return out;
  }
}

package dev.sortie.tensor.gen;

import java.util.Map;

/**
 * Generates the micro-kernels of {@code simd.gemm}: tiles of six and of eight rows by two vectors,
 * with the panel of B in an array or in native memory.
 */
final class MicroKernelSources {
  private MicroKernelSources() {}

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    return Map.of(
        "gemm/MicroKernel6.java", file(6, "16 vector registers (SSE, AVX2)"),
        "gemm/MicroKernel8.java", file(8, "32 vector registers (AVX-512, NEON, SVE)"));
  }

  private static String file(int rows, String registers) {
    String doc =
        """
        The micro-kernel for machines with %s: %d sums, 2 loads of B, 1 broadcast of A. It computes
        a tile of %d rows by two vectors from packed panels, each sum in ascending k with fma.

        <p>Sums are locals, for C2 keeps no array of vectors in registers. The loop ends by {@code
        !=}, for that is no counted loop to C2, which would unroll it, hoist loads and spill.

        <p>Panels are arrays, and what is added to C goes through {@link MicroTile}, so that this
        method is small to C2. Each access to a memory segment parses some hundred nodes more, how
        many depends on what ran before in the JVM. With panels in segments and a flag to add, which
        took its second value late, C2 passed its limit of nodes, stopped inlining and made an
        object of each sum: a training run on half a core of Zen 4 made 350 tokens/s, this one 2000.
        """
            .formatted(registers, 2 * rows, rows);
    String members =
        """
        static final int ROWS = %1$d;

        private MicroKernel%1$d() {}

        /**
         * {@code c = a · b}.
         *
         * @param kc length of the sums
         * @param a holds a panel {@code [kc, %1$d]} from {@code ai} on
         * @param b holds a panel {@code [kc, 2 * lanes]} from {@code bi} on
         * @param c address of the tile's first element
         * @param ldc bytes from one row of c to the next
         */
        static void run(int kc, float[] a, int ai, float[] b, int bi, long c, long ldc) {
        %2$s
        }

        /**
         * The same with the panel of B at address {@code b}: weights packed ahead lie in native
         * memory. Two more accesses to it are no burden to C2, see above; sixteen were.
         */
        static void packed(int kc, float[] a, int ai, long b, long c, long ldc) {
        %3$s
        }
        """
            .formatted(rows, body(rows, false), body(rows, true));
    return JavaSource.file(MicroKernelSources.class, "gemm", doc, "MicroKernel" + rows, members);
  }

  private static JavaSource.Lines body(int rows, boolean packed) {
    JavaSource.Lines out = new JavaSource.Lines();
    for (int r = 0; r < rows; r++) {
      out.line("FloatVector p%d = FloatVector.zero(F);".formatted(r));
      out.line("FloatVector q%d = FloatVector.zero(F);".formatted(r));
    }
    out.line("int end = ai + ROWS * kc;");
    out.line(packed ? "long bk = b;" : "int bk = bi;");
    out.line("for (int ak = ai; ak != end; ak += ROWS) {");
    out.line(
        packed
            ? """
            FloatVector b0 = FloatVector.fromMemorySegment(F, MEMORY, bk, ORDER);
            FloatVector b1 = FloatVector.fromMemorySegment(F, MEMORY, bk + BYTES, ORDER);
            bk += 2 * BYTES;
            """
            : """
            FloatVector b0 = FloatVector.fromArray(F, b, bk);
            FloatVector b1 = FloatVector.fromArray(F, b, bk + LANES);
            bk += 2 * LANES;
            """);
    for (int r = 0; r < rows; r++) {
      out.line(
          "%sx = FloatVector.broadcast(F, a[ak%s]);"
              .formatted(r == 0 ? "FloatVector " : "", r == 0 ? "" : " + " + r));
      out.line("p%1$d = x.fma(b0, p%1$d);".formatted(r));
      out.line("q%1$d = x.fma(b1, q%1$d);".formatted(r));
    }
    out.line("}");
    for (int r = 0; r < rows; r++) {
      String row = "c" + JavaSource.plus(r, "ldc");
      out.line("p%d.intoMemorySegment(MEMORY, %s, ORDER);".formatted(r, row));
      out.line("q%d.intoMemorySegment(MEMORY, %s + BYTES, ORDER);".formatted(r, row));
    }
    return out;
  }
}

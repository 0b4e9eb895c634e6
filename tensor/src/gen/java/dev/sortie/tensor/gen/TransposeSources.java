package dev.sortie.tensor.gen;

import java.util.Map;

/**
 * Generates the transposing packers of {@code simd.gemm} for square blocks, one for each width of
 * vectors: a butterfly of log2(size) stages.
 */
final class TransposeSources {
  /** The vectors of each stage: as loaded, then after each exchange. */
  private static final String STAGES = "rstuv";

  private TransposeSources() {}

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    return Map.of(
        "gemm/PackTranspose4.java", file(4),
        "gemm/PackTranspose8.java", file(8),
        "gemm/PackTranspose16.java", file(16));
  }

  private static String file(int size) {
    String doc =
        """
        Transposes blocks of %1$d×%1$d elements of four bytes in registers: stage s exchanges
        sub-blocks of 2^s elements between rows 2^s apart. As integers, since a selection takes
        integer indices.
        """
            .formatted(size);
    String members =
        """
        static final int SIZE = %1$d;

        private static final VectorSpecies<Integer> I = IntVector.SPECIES_%2$d;
        %3$s
        private PackTranspose%1$d() {}

        private static IntVector index(int block, int high) {
          int[] lanes = new int[SIZE];
          for (int i = 0; i < SIZE; i++) {
            lanes[i] = (i & block) == 0 ? i + high : SIZE + i - block + high;
          }
          return IntVector.fromArray(I, lanes, 0);
        }

        /**
         * Writes row k of {@code dst}, %1$d elements, from {@code src[0 .. %1$d, k]} for k below
         * {@code count}, a multiple of %1$d.
         *
         * @param lds bytes from one source row to the next
         * @param ldd bytes from one destination row to the next
         */
        static void run(long src, long lds, long dst, long ldd, int count) {
        %4$s
        }
        """
            .formatted(size, 32 * size, indices(size), body(size));
    return JavaSource.file(TransposeSources.class, "gemm", doc, "PackTranspose" + size, members);
  }

  private static JavaSource.Lines indices(int size) {
    JavaSource.Lines out = new JavaSource.Lines();
    for (int stage = 0; 1 << stage < size; stage++) {
      int block = 1 << stage;
      out.line("private static final IntVector LOW%d = index(%d, 0);".formatted(stage, block));
      out.line(
          "private static final IntVector HIGH%d = index(%d, %d);".formatted(stage, block, block));
    }
    return out;
  }

  private static JavaSource.Lines body(int size) {
    JavaSource.Lines out = new JavaSource.Lines();
    out.line("for (int k = 0; k < count; k += SIZE) {");
    out.line("long from = src + 4L * k;");
    out.line("long to = dst + k * ldd;");
    for (int r = 0; r < size; r++) {
      out.line(
          "IntVector r%d = IntVector.fromMemorySegment(I, MEMORY, from%s, ORDER);"
              .formatted(r, JavaSource.plus(r, "lds")));
    }
    int stage = 0;
    for (int block = 1; block < size; block *= 2) {
      for (int i = 0; i < size; i++) {
        if ((i & block) == 0) {
          exchange(out, stage, i, i + block);
        }
      }
      stage++;
    }
    for (int r = 0; r < size; r++) {
      out.line(
          "%s%d.intoMemorySegment(MEMORY, to%s, ORDER);"
              .formatted(STAGES.charAt(stage), r, JavaSource.plus(r, "ldd")));
    }
    out.line("}");
    return out;
  }

  /** Two vectors of a stage from the two of the stage before. */
  private static void exchange(JavaSource.Lines out, int stage, int low, int high) {
    char from = STAGES.charAt(stage);
    char to = STAGES.charAt(stage + 1);
    String selection = "IntVector %s%d = %s%d.selectFrom(%s%d, %s%d);";
    out.line(selection.formatted(to, low, "LOW", stage, from, low, from, high));
    out.line(selection.formatted(to, high, "HIGH", stage, from, low, from, high));
  }
}

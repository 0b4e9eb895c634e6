package dev.sortie.tensor.gen;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Generates the kernels of {@code simd.tile} for levels that are bytes, in F32. A level is turned
 * to F32 where it lies among the four of its lane, which takes one step and not two: x is
 * multiplied by what the level is too large by.
 */
final class ByteKernelSources {
  /**
   * Tiles in a body. Zen 4 with AVX-512, weights in the cache [384, 576], multiply-adds per ns of a
   * thread: one row with two tiles 33; two rows with one and two 43 and 49; four rows with one 48.
   * One row with four tiles: the compiler keeps its sums in objects.
   */
  private static final int TILES = 2;

  private static final List<String> COUNTS = List.of("", "one row", "two rows");

  /**
   * A type.
   *
   * @param name as in {@code TileType}
   * @param groups per block; scales of their own if there are several
   */
  private record Type(String name, int groups) {
    boolean scaled() {
      return groups > 1;
    }

    String kernel() {
      return "Bytes" + name.replace("_", "");
    }
  }

  private static final List<Type> TYPES = List.of(new Type("Q8_0", 1), new Type("IQ4_XS", 8));

  private final JavaSource.Lines out = new JavaSource.Lines();

  private ByteKernelSources() {}

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    Map<String, String> files = new LinkedHashMap<>();
    for (Type type : TYPES) {
      files.put("tile/" + type.kernel() + ".java", new ByteKernelSources().kernels(type));
    }
    return files;
  }

  private String kernels(Type type) {
    for (int rows = 1; rows < COUNTS.size(); rows++) {
      kernel(type, rows);
    }
    String body =
        """
        /** Bytes of the levels of a group, and of the scales of a block. */
        private static final long LEVELS = 16 * BYTES;

        private static final long SCALES = %d * BYTES;

        /** Bytes of a group of x, and where the value after its coefficients lies. */
        private static final long GROUP_OF_X = 144;

        private static final long START = 128;

        /** The kernels by rows of x. */
        static final ByteProducts KERNELS = new ByteProducts(%2$s::by1, %2$s::by2);

        private %2$s() {}

        %3$s
        """
            .formatted(type.scaled() ? 1 + type.groups() : 1, type.kernel(), out);
    String doc = "{@link ByteProducts} of " + type.name() + ".";
    return JavaSource.file(ByteKernelSources.class, "tile", doc, type.kernel(), body);
  }

  private void kernel(Type type, int rows) {
    line(
        """
        /** %d tiles far apart, %s of x. */
        static void by%d(long x, long xRow, long w, long tileBytes, long scales, long y, long yTile, long yRow, long blocks) {
        """
            .formatted(TILES, COUNTS.get(rows), rows));
    for (int r = 0; r < rows; r++) {
      line("long x%d = (x%s) & ADDRESS;".formatted(r, JavaSource.plus(r, "xRow")));
    }
    for (int t = 0; t < TILES; t++) {
      line("long tile%d = (w%s) & ADDRESS;".formatted(t, JavaSource.plus(t, "tileBytes")));
    }
    for (int t = 0; t < TILES; t++) {
      line(
          "long scales%d = (w + scales%s) & ADDRESS;"
              .formatted(t, JavaSource.plus(t, "tileBytes")));
    }
    sums(rows, "FloatVector f%d%d%d = FloatVector.zero(F);");
    line("long end = blocks * SCALES;");
    line("long xo = 0;");
    line("long go = 0;");
    line("for (long so = 0; so != end; so += SCALES) {");
    for (int t = 0; t < TILES; t++) {
      line(
          "IntVector s%1$d = IntVector.fromMemorySegment(I, MEMORY, scales%1$d + (so & OFFSET), ORDER);"
              .formatted(t));
      line(
          "FloatVector d%1$d0 = s%1$d.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats();"
              .formatted(t));
      line(
          "FloatVector d%1$d1 = s%1$d.lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats();"
              .formatted(t));
    }
    if (type.scaled()) {
      line("long last = so + SCALES;");
      line("for (long at = so + BYTES; at != last; at += BYTES) {");
    }
    group(rows);
    for (int t = 0; t < TILES; t++) {
      String[] d = {"d%d0".formatted(t), "d%d1".formatted(t)};
      if (type.scaled()) {
        line(
            "IntVector c%1$d = IntVector.fromMemorySegment(I, MEMORY, scales%1$d + (at & OFFSET), ORDER);"
                .formatted(t));
        String low = "c%d.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)";
        d[0] = JavaSource.number(low.formatted(t)) + ".mul(" + d[0] + ")";
        d[1] =
            JavaSource.number("c%d.lanewise(VectorOperators.ASHR, 16)".formatted(t))
                + ".mul("
                + d[1]
                + ")";
        line("FloatVector e%d0 = %s;".formatted(t, d[0]));
        line("FloatVector e%d1 = %s;".formatted(t, d[1]));
        d[0] = "e%d0".formatted(t);
        d[1] = "e%d1".formatted(t);
      }
      for (int h = 0; h < 2; h++) {
        for (int r = 0; r < rows; r++) {
          line("f%1$d%2$d%3$d = %4$s.fma(a%1$d%2$d%3$d, f%1$d%2$d%3$d);".formatted(t, h, r, d[h]));
        }
      }
    }
    line("xo += GROUP_OF_X;");
    line(type.scaled() ? "}\n}" : "}");
    line("FloatVector unscale = FloatVector.broadcast(F, QuantisedRow.UNSCALE);");
    for (int t = 0; t < TILES; t++) {
      for (int h = 0; h < 2; h++) {
        for (int r = 0; r < rows; r++) {
          line(
              "unscale.mul(f%d%d%d).intoMemorySegment(MEMORY, y%s%s%s, ORDER);"
                  .formatted(
                      t,
                      h,
                      r,
                      JavaSource.plus(t, "yTile"),
                      JavaSource.plus(r, "yRow"),
                      JavaSource.plus(h, "BYTES")));
        }
      }
    }
    line("}\n");
  }

  /** A line for each sum: tile, half of its rows, row of x. */
  private void sums(int rows, String format) {
    for (int t = 0; t < TILES; t++) {
      for (int h = 0; h < 2; h++) {
        for (int r = 0; r < rows; r++) {
          line(format.formatted(t, h, r));
        }
      }
    }
  }

  /** The sums of a group, {@code Σ (level - 128) x}. */
  private void group(int rows) {
    for (int r = 0; r < rows; r++) {
      line(
          "FloatVector start%1$d = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, x%1$d + ((xo + START) & OFFSET)));"
              .formatted(r));
    }
    sums(rows, "FloatVector a%d%d%3$d = start%3$d;");
    line("long c = xo;");
    line("for (long stop = go + LEVELS; go != stop; go += 2 * BYTES) {");
    line("long pq = go & OFFSET;");
    line("long pc = c & OFFSET;");
    for (int t = 0; t < TILES; t++) {
      for (int h = 0; h < 2; h++) {
        line(
            "IntVector v%1$d%2$d = IntVector.fromMemorySegment(I, MEMORY, tile%1$d + pq%3$s, ORDER);"
                .formatted(t, h, JavaSource.plus(h, "BYTES")));
      }
    }
    String[] places = {
      ".and(0xff)", ".and(0xff00)", ".and(0xff_0000)", ".lanewise(VectorOperators.LSHR, 24)"
    };
    for (int i = 0; i < places.length; i++) {
      String type = i == 0 ? "FloatVector " : "";
      for (int r = 0; r < rows; r++) {
        line(
            "%sb%2$d = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, x%2$d + pc%3$s));"
                .formatted(type, r, i == 0 ? "" : " + " + 4 * i));
      }
      for (int t = 0; t < TILES; t++) {
        for (int h = 0; h < 2; h++) {
          line("%su%d%d = %s;".formatted(type, t, h, JavaSource.number("v" + t + h + places[i])));
          for (int r = 0; r < rows; r++) {
            line("a%1$d%2$d%3$d = u%1$d%2$d.fma(b%3$d, a%1$d%2$d%3$d);".formatted(t, h, r));
          }
        }
      }
    }
    line("c += 16;");
    line("}");
  }

  private void line(String text) {
    out.line(text);
  }
}

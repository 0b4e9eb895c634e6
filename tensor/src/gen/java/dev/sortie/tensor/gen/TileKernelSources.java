package dev.sortie.tensor.gen;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Generates the kernels of {@code simd.tile}: products of one to four rows of x with tiles of a
 * quantised type, in 16-bit integers. What a type looks like in a tile is said in {@code TileType};
 * its numbers stand here again, for a kernel is fast only if they are constants in its text.
 */
final class TileKernelSources {
  private static final List<String> COUNTS = List.of("", "one", "two", "three", "four");

  /**
   * A type.
   *
   * @param name as in {@code TileType}
   * @param bits from one level in a word to the next
   * @param words a group
   * @param planes 2 where a level is two of 4 bits
   * @param groups a block; scales of their own if there are several
   * @param minima whether there are
   */
  private record Type(String name, int bits, int words, int planes, int groups, boolean minima) {
    String className() {
      return "Tile" + name.replace("_", "");
    }

    int slots() {
      return 16 / bits;
    }

    boolean scaled() {
      return groups > 1;
    }

    int head() {
      return minima ? 2 : 1;
    }

    int groupVectors() {
      return (scaled() ? 1 : 0) + planes * words;
    }

    int blockVectors() {
      return head() + groups * groupVectors();
    }

    /** Bytes of a group of x, and where its last four values begin. */
    int rowBytes() {
      return coefficients() + 16;
    }

    int coefficients() {
      return 4 * words * slots();
    }
  }

  private static final List<Type> TYPES =
      List.of(
          new Type("Q4_0", 4, 8, 1, 1, false),
          new Type("Q4_1", 4, 8, 1, 1, true),
          new Type("Q5_0", 5, 11, 1, 1, false),
          new Type("Q5_1", 5, 11, 1, 1, true),
          new Type("Q8_0", 4, 8, 2, 1, false),
          new Type("Q4_K", 4, 8, 1, 8, true),
          new Type("Q5_K", 5, 11, 1, 8, true),
          new Type("Q6_K", 8, 8, 1, 16, false));

  /**
   * Tiles in a body by rows of x. Xeon with AVX-512, two threads, weights of 400 MB [1536, 576], µs
   * a product, one row: with 1, 2 and 4 tiles Q4_1 61, 43 and 38, Q8_0 92, 67 and 58; two rows:
   * with 1 and 2 tiles Q4_1 66 and 49, Q8_0 104 and 98.
   */
  private static final int[] TILES = {0, 4, 2, 1, 1};

  private final Type type;
  private final JavaSource.Lines out = new JavaSource.Lines();

  /** Rows of x, and tiles in a body, of the kernel that is being written. */
  private int rows;

  private int tiles;

  private TileKernelSources(Type type) {
    this.type = type;
  }

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    Map<String, String> files = new LinkedHashMap<>();
    for (Type type : TYPES) {
      files.put("tile/" + type.className() + ".java", new TileKernelSources(type).file());
    }
    return files;
  }

  private String file() {
    for (rows = 1; rows <= 4; rows++) {
      tiles = TILES[rows];
      kernel();
    }
    String name = type.className();
    String body =
        """
        /** Bytes of a block, of its head and of the words of a group. */
        private static final long BLOCK = %d * BYTES;

        private static final long HEAD = %d * BYTES;
        private static final long WORDS = %d * BYTES;

        /** Bytes of a group of x, and where the four values behind its coefficients are. */
        private static final long GROUP_OF_X = %d;

        private static final long START = %d;
        private static final long STEP = START + 4;
        %s

        /** The kernels by rows of x. */
        static final TileKernels KERNELS =
            new TileKernels(%s::by1, %s::by2, %s::by3, %s::by4);

        private %s() {}

        %s
        """
            .formatted(
                type.blockVectors(),
                type.head(),
                type.words(),
                type.rowBytes(),
                type.coefficients(),
                (uncentred() ? "private static final long CENTRE = START + 8;\n" : "")
                    + (type.minima() ? "private static final long MINIMUM = START + 12;\n" : ""),
                name,
                name,
                name,
                name,
                name,
                out);
    return JavaSource.file(
        TileKernelSources.class,
        "tile",
        "{@link TileKernel}s for tiles of " + type.name() + ".",
        name,
        body);
  }

  private boolean uncentred() {
    return type.minima() || type.planes() == 2;
  }

  private void kernel() {
    line(
        """
        /** %s, %s row%s of x. */
        static void by%d(
            long x, long xRow, long w, long tileBytes, long tiles, long y, long yRow, long blocks) {
          long end = blocks * BLOCK;
        """
            .formatted(
                tiles == 1 ? "One tile" : tiles + " tiles that lie far apart",
                COUNTS.get(rows),
                rows == 1 ? "" : "s",
                rows));
    for (int r = 0; r < rows; r++) {
      line("long x%d = (x%s) & ADDRESS;".formatted(r, JavaSource.plus(r, "xRow")));
    }
    if (tiles > 1) {
      line("long part = (tiles + %d) / %d;".formatted(tiles - 1, tiles));
      for (int p = 1; p < tiles; p++) {
        line("long first%1$d = Math.min(%1$d * part, tiles - part);".formatted(p));
      }
      line("for (long t0 = 0; t0 < part; t0++) {");
      for (int p = 1; p < tiles; p++) {
        line("long t%1$d = t0 + first%1$d;".formatted(p));
      }
    } else {
      line("for (long t0 = 0; t0 < tiles; t0++) {");
    }
    for (int p = 0; p < tiles; p++) {
      line("long tile%d = (w + t%d * tileBytes) & ADDRESS;".formatted(p, p));
    }
    each("FloatVector f# = FloatVector.zero(F);", true);
    line("long xo = 0;");
    line("long wo = 0;");
    line("while (wo != end) {");
    if (type.scaled()) {
      scaledBlock();
    } else {
      group("wo + HEAD");
      head();
      sums();
      each("f# = ((FloatVector) i#.convert(VectorOperators.I2F, 0)).fma(d%.mul(sx@), f#);", true);
      if (type.minima()) {
        eachRow(
            "sx@ = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, x@ + xp + MINIMUM));");
        each("f# = m%.fma(sx@, f#);", true);
      }
      line("xo += GROUP_OF_X;");
      line("wo += BLOCK;");
    }
    line("}");
    line("FloatVector unscale = FloatVector.broadcast(F, QuantisedRow.UNSCALE);");
    for (int p = 0; p < tiles; p++) {
      for (int r = 0; r < rows; r++) {
        String to = "y" + JavaSource.plus(r, "yRow") + " + t" + p + " * (2 * BYTES)";
        line("unscale.mul(f%d%d0).intoMemorySegment(MEMORY, %s, ORDER);".formatted(p, r, to));
        line(
            "unscale.mul(f%d%d1).intoMemorySegment(MEMORY, %s + BYTES, ORDER);"
                .formatted(p, r, to));
      }
    }
    line("}\n}\n");
  }

  /** A block whose groups have scales: those are applied first, then the block's. */
  private void scaledBlock() {
    each("FloatVector s# = FloatVector.zero(F);", true);
    if (type.minima()) {
      each("FloatVector z# = FloatVector.zero(F);", true);
    }
    line("long at = wo + HEAD;");
    line("long stop = wo + BLOCK;");
    line("while (at != stop) {");
    group("at + BYTES");
    for (int p = 0; p < tiles; p++) {
      line(
          "IntVector h%d = IntVector.fromMemorySegment(I, MEMORY, tile%d + (at & OFFSET), ORDER);"
              .formatted(p, p));
      if (type.minima()) {
        line(integer("c%d0", "h%d.and(0xff)", p));
        line(integer("c%d1", "h%d.lanewise(VectorOperators.LSHR, 16).and(0xff)", p));
      } else {
        line(
            integer(
                "c%d0",
                "h%d.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)", p));
        line(integer("c%d1", "h%d.lanewise(VectorOperators.ASHR, 16)", p));
      }
    }
    sums();
    each("s# = ((FloatVector) i#.convert(VectorOperators.I2F, 0)).fma(c%.mul(sx@), s#);", true);
    if (type.minima()) {
      for (int p = 0; p < tiles; p++) {
        line(
            "c%d0 = (FloatVector) h%d.lanewise(VectorOperators.LSHR, 8).and(0xff).convert(VectorOperators.I2F, 0);"
                .formatted(p, p));
        line(
            "c%d1 = (FloatVector) h%d.lanewise(VectorOperators.LSHR, 24).convert(VectorOperators.I2F, 0);"
                .formatted(p, p));
      }
      eachRow(
          "sx@ = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, x@ + xp + MINIMUM));");
      each("z# = c%.fma(sx@, z#);", true);
    }
    line("xo += GROUP_OF_X;");
    line("at += BYTES + %sWORDS;".formatted(type.planes() == 2 ? "2 * " : ""));
    line("}");
    head();
    each("f# = d%.fma(s#, f#);", true);
    if (type.minima()) {
      each("f# = m%.fma(z#, f#);", true);
    }
    line("wo = stop;");
  }

  private static String integer(String name, String value, int p) {
    return "FloatVector %s = (FloatVector) %s.convert(VectorOperators.I2F, 0);"
        .formatted(name.formatted(p), value.formatted(p));
  }

  /** The exact sums of a group whose words begin at {@code at}. */
  private void group(String at) {
    line("long xp = xo & OFFSET;");
    line("long q = %s;".formatted(at));
    for (int plane = 0; plane < type.planes(); plane++) {
      String sum = plane == 0 ? "a" : "b";
      for (int p = 0; p < tiles; p++) {
        eachRow("ShortVector " + sum + p + "@ = ShortVector.zero(W);");
      }
      String loop = "c" + sum;
      line("long e%s = q + WORDS;".formatted(sum));
      line("for (long %1$s = xp; q != e%2$s; q += BYTES, %1$s += 4) {".formatted(loop, sum));
      line("long pq = q & OFFSET;");
      line("long pc = %s & OFFSET;".formatted(loop));
      for (int p = 0; p < tiles; p++) {
        line(
            "ShortVector v%d = ShortVector.fromMemorySegment(W, MEMORY, tile%d + pq, ORDER);"
                .formatted(p, p));
      }
      for (int slot = 0; slot < type.slots(); slot++) {
        String offset = slot == 0 ? "" : " + " + 4 * type.words() * slot;
        if (slot > 0) {
          for (int p = 0; p < tiles; p++) {
            line(
                "%su%d = v%d.lanewise(VectorOperators.LSHR, %d);"
                    .formatted(slot == 1 ? "ShortVector " : "", p, p, type.bits() * slot));
          }
        }
        for (int r = 0; r < rows; r++) {
          String c =
              "IntVector.broadcast(I, MEMORY.get(JAVA_INT_UNALIGNED, x%d + pc%s)).reinterpretAsShorts()"
                  .formatted(r, offset);
          if (tiles > 1) {
            line("%sc%d = %s;".formatted(slot == 0 ? "ShortVector " : "", r, c));
            c = "c" + r;
          }
          for (int p = 0; p < tiles; p++) {
            line(
                "%1$s%2$d%3$d = %4$s%2$d.mul(%5$s).add(%1$s%2$d%3$d);"
                    .formatted(sum, p, r, slot == 0 ? "v" : "u", c));
          }
        }
      }
      line("}");
    }
  }

  /** The block's scale, and what its minima are multiplied by. */
  private void head() {
    for (int p = 0; p < tiles; p++) {
      halves("d", "g", p, "wo & OFFSET");
      if (type.minima()) {
        halves("m", "n", p, "(wo + BYTES) & OFFSET");
      }
    }
  }

  /** F16 to F32, times 2^-112. */
  private void halves(String name, String bits, int p, String at) {
    line(
        "IntVector %1$s%2$d = IntVector.fromMemorySegment(I, MEMORY, tile%2$d + (%3$s), ORDER);"
            .formatted(bits, p, at));
    line(
        "FloatVector %1$s%2$d0 = %3$s%2$d.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats();"
            .formatted(name, p, bits));
    line(
        "FloatVector %1$s%2$d1 = %3$s%2$d.lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats();"
            .formatted(name, p, bits));
  }

  /** Sums as 32-bit integers, of even and of odd lanes, and the steps of x. */
  private void sums() {
    eachRow(
        "ShortVector start@ = IntVector.broadcast(I, MEMORY.get(JAVA_INT_UNALIGNED, x@ + xp + START)).reinterpretAsShorts();");
    for (int p = 0; p < tiles; p++) {
      for (int r = 0; r < rows; r++) {
        line("IntVector j%1$d%2$d = start%2$d.add(a%1$d%2$d).reinterpretAsInts();".formatted(p, r));
        wide("i", "j", p, r);
        if (type.planes() == 2) {
          line(
              "IntVector k%1$d%2$d = start%2$d.add(b%1$d%2$d).reinterpretAsInts();"
                  .formatted(p, r));
          wide("l", "k", p, r);
          for (int h = 0; h < 2; h++) {
            line(
                "i%1$d%2$d%3$d = i%1$d%2$d%3$d.lanewise(VectorOperators.LSHL, 4).add(l%1$d%2$d%3$d);"
                    .formatted(p, r, h));
          }
        }
      }
    }
    if (uncentred()) {
      for (int r = 0; r < rows; r++) {
        line(
            "IntVector o%1$d = IntVector.broadcast(I, MEMORY.get(JAVA_INT_UNALIGNED, x%1$d + xp + CENTRE));"
                .formatted(r));
      }
      each("i# = i#.add(o@);", true);
    }
    eachRow(
        "FloatVector sx@ = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, x@ + xp + STEP));");
  }

  private void wide(String to, String from, int p, int r) {
    line(
        "IntVector %1$s%3$d%4$d0 = %2$s%3$d%4$d.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);"
            .formatted(to, from, p, r));
    line(
        "IntVector %1$s%3$d%4$d1 = %2$s%3$d%4$d.lanewise(VectorOperators.ASHR, 16);"
            .formatted(to, from, p, r));
  }

  /**
   * Writes a line for each tile, row of x and half of the lanes: # stands for all three, % for tile
   * and half, @ for the row.
   */
  private void each(String text, boolean halves) {
    for (int p = 0; p < tiles; p++) {
      for (int r = 0; r < rows; r++) {
        for (int h = 0; h < (halves ? 2 : 1); h++) {
          line(
              text.replace("#", "" + p + r + h)
                  .replace("%", "" + p + h)
                  .replace("@", String.valueOf(r)));
        }
      }
    }
  }

  private void eachRow(String text) {
    for (int r = 0; r < rows; r++) {
      line(text.replace("@", String.valueOf(r)));
    }
  }

  private void line(String text) {
    out.line(text);
  }
}

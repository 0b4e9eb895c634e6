package dev.sortie.tensor.gen;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Generates the kernels of {@code simd.tile}. {@code TileForm} and {@code TileType} say what a tile
 * looks like; their numbers stand here again, for a kernel is fast only if they are constants in
 * its text. The work is cut in two, sums of groups and their scaling, so that each method is small
 * enough for both compilers of the JVM: the first one refuses methods of some hundred operations on
 * vectors, and what it has compiled without a profile before it refuses stays so.
 */
final class TileKernelSources {
  private static final List<String> COUNTS = List.of("", "one row", "two rows");

  /**
   * Tiles in a body by rows of x. Xeon with AVX-512, two threads, weights of 400 MB [1536, 576], µs
   * a product, one row: with 1, 2 and 4 tiles Q4_1 61, 43 and 38; two rows: with 1 and 2 tiles 66
   * and 49. More rows are read two at a time: a kernel for four and one tile is no faster, and in
   * half of all starts the compiler kept its sums in objects.
   */
  private static final int[] TILES = {0, 4, 2};

  /** Tiles in another body for one row, so that threes and fours make up any number from 6 on. */
  private static final int LESS = 3;

  /**
   * Words of a group with parts at the same bits.
   *
   * @param words how many
   * @param shifts of the parts
   */
  private record Run(int words, List<Integer> shifts) {
    int coefficients() {
      return words * shifts.size();
    }
  }

  /**
   * A form of levels.
   *
   * @param name of its class
   * @param levels how they lie, for its Javadoc
   * @param runs words of a group
   */
  private record Form(String name, String levels, List<Run> runs) {
    /** Words that are all alike. */
    static Form of(String name, int bits, int words) {
      List<Integer> shifts =
          IntStream.range(0, 16 / bits).map(slot -> bits * slot).boxed().toList();
      String levels = "%d levels, %d bits apart".formatted(16 / bits, bits);
      return new Form(name, levels, List.of(new Run(words, shifts)));
    }

    int words() {
      return runs.stream().mapToInt(Run::words).sum();
    }

    int coefficients() {
      return 4 * runs.stream().mapToInt(Run::coefficients).sum();
    }
  }

  /**
   * Names of the sums of each run. Sums that go on from one loop to the next are objects in some
   * starts (docs/LOG.md#integers-in-objects-before-they-are-converted).
   */
  private static final String SUMS = "ab";

  private static final String PARAMETERS =
      "long x, long xRow, long w, long tileBytes, long sums, long groups";

  private static final Form THREES = Form.of("SumsOfThrees", 4, 4);
  private static final Form NIBBLES = Form.of("SumsOfNibbles", 4, 8);
  private static final Form FIVES = Form.of("SumsOfFives", 5, 11);
  private static final Form SIXES =
      new Form(
          "SumsOfSixes",
          "parts of levels of 6 bits",
          List.of(new Run(4, List.of(0, 6, 12)), new Run(2, List.of(0, 6, 12, 14))));

  /**
   * A type.
   *
   * @param name as in {@code TileType}
   * @param groups per block; scales of their own if there are several
   * @param minima whether there are
   */
  private record Type(String name, Form form, int groups, boolean minima) {
    boolean scaled() {
      return groups > 1;
    }

    int head() {
      return minima ? 2 : 1;
    }

    int scaleVectors() {
      return head() + (scaled() ? groups : 0);
    }
  }

  private static final List<Type> TYPES =
      List.of(
          new Type("Q4_0", NIBBLES, 1, false),
          new Type("Q4_1", NIBBLES, 1, true),
          new Type("Q5_0", FIVES, 1, false),
          new Type("Q5_1", FIVES, 1, true),
          new Type("Q4_K", NIBBLES, 8, true),
          new Type("Q5_K", FIVES, 8, true),
          new Type("Q6_K", SIXES, 16, false),
          new Type("Q2_K", THREES, 16, true),
          new Type("Q3_K", THREES, 16, false));

  private final JavaSource.Lines out = new JavaSource.Lines();

  private TileKernelSources() {}

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    Map<String, String> files = new LinkedHashMap<>();
    for (Form form : List.of(THREES, NIBBLES, FIVES, SIXES)) {
      files.put("tile/" + form.name() + ".java", new TileKernelSources().sums(form));
    }
    for (Type type : TYPES) {
      files.put("tile/Scale" + plain(type) + ".java", new TileKernelSources().scaling(type));
    }
    return files;
  }

  private static String plain(Type type) {
    return type.name().replace("_", "");
  }

  // ---- sums of groups

  private String sums(Form form) {
    sums(form, "threesBy1", 1, LESS);
    for (int rows = 1; rows < TILES.length; rows++) {
      sums(form, "by" + rows, rows, TILES[rows]);
    }
    String body =
        """
        private static final long WORDS = %d * BYTES;

        /** Bytes of a group of x. */
        private static final long GROUP_OF_X = %d;

        /** The kernels by rows of x and tiles. */
        static final GroupSums KERNELS =
            new GroupSums(%4$s::by1, %4$s::threesBy1, %4$s::by2);

        private %4$s() {}

        %3$s
        """
            .formatted(form.words(), form.coefficients() + 16, out, form.name());
    String doc = "{@link GroupSums} of words of " + form.levels() + ".";
    return JavaSource.file(TileKernelSources.class, "tile", doc, form.name(), body);
  }

  /**
   * A kernel. With two rows and words of two runs it is two methods, for in one C2 made objects of
   * the sums in nearly half of all starts
   * (docs/LOG.md#integers-in-objects-before-they-are-converted).
   */
  private void sums(Form form, String name, int rows, int tiles) {
    int runs = form.runs().size();
    line("/** %d tiles far apart, %s of x. */".formatted(tiles, COUNTS.get(rows)));
    if (runs == 1 || rows == 1) {
      method("static void " + name, form, 0, runs, rows, tiles);
      return;
    }
    line("static void %s(%s) {".formatted(name, PARAMETERS));
    for (int number = 0; number < runs; number++) {
      line("%sOf%d(x, xRow, w, tileBytes, sums, groups);".formatted(name, number));
    }
    line("}\n");
    for (int number = 0; number < runs; number++) {
      String header = "private static void %sOf%d".formatted(name, number);
      method(header, form, number, number + 1, rows, tiles);
    }
  }

  /**
   * A method for the runs from {@code from} to {@code to}, which adds to the sums of those before.
   */
  private void method(String header, Form form, int from, int to, int rows, int tiles) {
    line("%s(%s) {".formatted(header, PARAMETERS));
    line("long end = groups * WORDS;");
    for (int r = 0; r < rows; r++) {
      line("long x%d = (x%s) & ADDRESS;".formatted(r, JavaSource.plus(r, "xRow")));
    }
    for (int p = 0; p < tiles; p++) {
      line("long tile%d = (w%s) & ADDRESS;".formatted(p, JavaSource.plus(p, "tileBytes")));
    }
    line("long to = sums & ADDRESS;");
    line("long xo = 0;");
    line("for (long go = 0; go != end; go += WORDS) {");
    for (int number = from; number < to; number++) {
      Run run = form.runs().get(number);
      List<Run> before = form.runs().subList(0, number);
      int words = before.stream().mapToInt(Run::words).sum();
      int coefficients = before.stream().mapToInt(Run::coefficients).sum();
      char sums = SUMS.charAt(number - from);
      for (int p = 0; p < tiles; p++) {
        for (int r = 0; r < rows; r++) {
          String begin =
              number == 0 || number > from
                  ? "ShortVector.zero(W)"
                  : "ShortVector.fromMemorySegment(W, MEMORY, %s, ORDER)"
                      .formatted(sum(p * rows + r));
          line("ShortVector %c%d%d = %s;".formatted(sums, p, r, begin));
        }
      }
      String type = number == from ? "long " : "";
      boolean last = number == form.runs().size() - 1;
      String end = last ? "WORDS" : words + run.words() + " * BYTES";
      line(type + "stop = go + " + end + ";");
      line(type + (number == 0 ? "c = xo;" : "c = xo + %d;".formatted(4 * coefficients)));
      words(run, sums, number == 0 ? "go" : "go + " + words + " * BYTES", rows, tiles);
    }
    for (int p = 0; p < tiles; p++) {
      for (int r = 0; r < rows; r++) {
        String sum = "%c%d%d".formatted(SUMS.charAt(0), p, r);
        for (int number = from + 1; number < to; number++) {
          sum += ".add(%c%d%d)".formatted(SUMS.charAt(number - from), p, r);
        }
        line("%s.intoMemorySegment(MEMORY, %s, ORDER);".formatted(sum, sum(p * rows + r)));
      }
    }
    line("to += %d * BYTES;".formatted(tiles * rows));
    line("xo += GROUP_OF_X;");
    line("}\n}\n");
  }

  /** Where the sum of a tile and a row of x is. */
  private static String sum(int number) {
    return "to" + JavaSource.plus(number, "BYTES");
  }

  /** The sums of a run of words. */
  private void words(Run run, char sums, String begin, int rows, int tiles) {
    line("for (long q = %s; q != stop; q += BYTES) {".formatted(begin));
    line("long pq = q & OFFSET;");
    line("long pc = c & OFFSET;");
    for (int p = 0; p < tiles; p++) {
      line(
          "ShortVector v%d = ShortVector.fromMemorySegment(W, MEMORY, tile%d + pq, ORDER);"
              .formatted(p, p));
    }
    for (int slot = 0; slot < run.shifts().size(); slot++) {
      for (int p = 0; p < tiles && slot > 0; p++) {
        line(
            "%su%d = v%d.lanewise(VectorOperators.LSHR, %d);"
                .formatted(slot == 1 ? "ShortVector " : "", p, p, run.shifts().get(slot)));
      }
      String offset = slot == 0 ? "" : " + " + 4 * run.words() * slot;
      for (int r = 0; r < rows; r++) {
        line(
            "%sc%d = IntVector.broadcast(I, MEMORY.get(JAVA_INT_UNALIGNED, x%d + pc%s)).reinterpretAsShorts();"
                .formatted(slot == 0 ? "ShortVector " : "", r, r, offset));
        for (int p = 0; p < tiles; p++) {
          line(
              "%4$c%1$d%2$d = %3$s%1$d.mul(c%2$d).add(%4$c%1$d%2$d);"
                  .formatted(p, r, slot == 0 ? "v" : "u", sums));
        }
      }
    }
    line("c += 4;");
    line("}");
  }

  // ---- scaling

  private String scaling(Type type) {
    for (int rows = 1; rows < TILES.length; rows++) {
      scaling(type, rows);
    }
    String body =
        """
        /** Bytes of the scales of a block. */
        private static final long BLOCK = %d * BYTES;
        %s
        /** Bytes of a group of x, and where the values after its coefficients begin. */
        private static final long GROUP_OF_X = %d;

        private static final long START = %d;

        /** The kernels by rows of x. */
        static final GroupScaling KERNELS = new GroupScaling(Scale%5$s::by1, Scale%5$s::by2);

        private Scale%5$s() {}

        %6$s
        """
            .formatted(
                type.scaleVectors(),
                type.scaled()
                    ? """

                    /** Bytes before those of its groups. */
                    private static final long HEAD = %d * BYTES;
                    """
                        .formatted(type.head())
                    : "",
                type.form().coefficients() + 16,
                type.form().coefficients(),
                plain(type),
                out);
    return JavaSource.file(
        TileKernelSources.class,
        "tile",
        "{@link GroupScaling} of " + type.name() + ".",
        "Scale" + plain(type),
        body);
  }

  private void scaling(Type type, int rows) {
    line(
        """
        /** One tile, %s of x. */
        static void by%d(long x, long xRow, long scales, long sums, long step, long y, long yRow, long blocks) {
        """
            .formatted(COUNTS.get(rows), rows));
    each(rows, "long x%1$d = (x%2$s) & ADDRESS;", "xRow");
    line("long w = scales & ADDRESS;");
    each(rows, "long s%1$d = (sums%2$s) & ADDRESS;", "BYTES");
    zeros(rows, "f");
    line("long end = blocks * BLOCK;");
    line("long xo = START;");
    line("long so = 0;");
    line("long wo = 0;");
    line("while (wo != end) {");
    if (type.scaled()) {
      scaledBlock(type, rows);
    } else {
      head(type);
      for (int r = 0; r < rows; r++) {
        group(type, r);
        line("f0%1$d = i0%1$d.fma(d0.mul(sx%1$d), f0%1$d);".formatted(r));
        line("f1%1$d = i1%1$d.fma(d1.mul(sx%1$d), f1%1$d);".formatted(r));
        if (type.minima()) {
          line("f0%1$d = m0.fma(mx%1$d, f0%1$d);".formatted(r));
          line("f1%1$d = m1.fma(mx%1$d, f1%1$d);".formatted(r));
        }
      }
      line("so += step;");
      line("xo += GROUP_OF_X;");
      line("wo += BLOCK;");
    }
    line("}");
    line("FloatVector unscale = FloatVector.broadcast(F, QuantisedRow.UNSCALE);");
    each(rows, "unscale.mul(f0%1$d).intoMemorySegment(MEMORY, y%2$s, ORDER);", "yRow");
    each(rows, "unscale.mul(f1%1$d).intoMemorySegment(MEMORY, y%2$s + BYTES, ORDER);", "yRow");
    line("}\n");
  }

  /** A line for each row of x, of its number and its offset. */
  private void each(int rows, String format, String step) {
    for (int r = 0; r < rows; r++) {
      line(format.formatted(r, JavaSource.plus(r, step)));
    }
  }

  /** Sums of even and of odd lanes for each row of x. */
  private void zeros(int rows, String name) {
    for (int r = 0; r < rows; r++) {
      line("FloatVector %s0%d = FloatVector.zero(F);".formatted(name, r));
      line("FloatVector %s1%d = FloatVector.zero(F);".formatted(name, r));
    }
  }

  /** A block whose groups have scales: those are applied first, then the block's. */
  private void scaledBlock(Type type, int rows) {
    zeros(rows, "g");
    if (type.minima()) {
      zeros(rows, "z");
    }
    line("long stop = wo + BLOCK;");
    line("for (long at = wo + HEAD; at != stop; at += BYTES) {");
    line("IntVector c = IntVector.fromMemorySegment(I, MEMORY, w + (at & OFFSET), ORDER);");
    boolean minima = type.minima();
    line("FloatVector c0 = %s;".formatted(number(minima ? "c.and(0xff)" : low("c"))));
    line(
        "FloatVector c1 = %s;"
            .formatted(
                number(minima ? "c.lanewise(VectorOperators.LSHR, 16).and(0xff)" : high("c"))));
    if (minima) {
      line(
          "FloatVector b0 = %s;"
              .formatted(number("c.lanewise(VectorOperators.LSHR, 8).and(0xff)")));
      line("FloatVector b1 = %s;".formatted(number("c.lanewise(VectorOperators.LSHR, 24)")));
    }
    for (int r = 0; r < rows; r++) {
      group(type, r);
      line("g0%1$d = i0%1$d.fma(c0.mul(sx%1$d), g0%1$d);".formatted(r));
      line("g1%1$d = i1%1$d.fma(c1.mul(sx%1$d), g1%1$d);".formatted(r));
      if (minima) {
        line("z0%1$d = b0.fma(mx%1$d, z0%1$d);".formatted(r));
        line("z1%1$d = b1.fma(mx%1$d, z1%1$d);".formatted(r));
      }
    }
    line("so += step;");
    line("xo += GROUP_OF_X;");
    line("}");
    head(type);
    for (int r = 0; r < rows; r++) {
      line("f0%1$d = d0.fma(g0%1$d, f0%1$d);".formatted(r));
      line("f1%1$d = d1.fma(g1%1$d, f1%1$d);".formatted(r));
      if (minima) {
        line("f0%1$d = m0.fma(z0%1$d, f0%1$d);".formatted(r));
        line("f1%1$d = m1.fma(z1%1$d, f1%1$d);".formatted(r));
      }
    }
    line("wo = stop;");
  }

  /** The block's scale, and what its minima are multiplied by: F16 to F32, times 2^-112. */
  private void head(Type type) {
    for (int i = 0; i < type.head(); i++) {
      String name = i == 0 ? "d" : "m";
      line(
          "IntVector %1$s = IntVector.fromMemorySegment(I, MEMORY, w + (wo & OFFSET)%2$s, ORDER);"
              .formatted(name, i == 0 ? "" : " + BYTES"));
      line(
          "FloatVector %1$s0 = %1$s.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats();"
              .formatted(name));
      line(
          "FloatVector %1$s1 = %1$s.lanewise(VectorOperators.ASHR, 3).and(0x8fff_e000).reinterpretAsFloats();"
              .formatted(name));
    }
  }

  /** The sums of a group and row r as numbers, of even and of odd lanes, and the steps of x. */
  private void group(Type type, int r) {
    String text =
        """
        long xp#r = x#r + (xo & OFFSET);
        ShortVector start#r = IntVector.broadcast(I, MEMORY.get(JAVA_INT_UNALIGNED, xp#r)).reinterpretAsShorts();
        IntVector j#r = start#r.add(ShortVector.fromMemorySegment(W, MEMORY, s#r + (so & OFFSET), ORDER)).reinterpretAsInts();
        IntVector n0#r = %s;
        IntVector n1#r = %s;
        """
            .formatted(low("j#r"), high("j#r"));
    if (type.minima()) {
      text +=
          """
          int centre#r = MEMORY.get(JAVA_INT_UNALIGNED, xp#r + 8);
          n0#r = n0#r.add(centre#r);
          n1#r = n1#r.add(centre#r);
          """;
    }
    text +=
        """
        FloatVector i0#r = %s;
        FloatVector i1#r = %s;
        FloatVector sx#r = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, xp#r + 4));
        """
            .formatted(converted(type, "n0#r"), converted(type, "n1#r"));
    if (type.minima()) {
      text +=
          "FloatVector mx#r = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, xp#r +"
              + " 12));\n";
    }
    line(text.replace("#r", "" + r));
  }

  /**
   * The sums of a group as numbers. {@code convert} looks the species of its result up, and where
   * C2 does not fold that, the sums become objects: Q4_1 over 16 rows 25 and 62 ms, not 15, in one
   * of six starts. With scales of groups it is used all the same, since {@code convertShape} makes
   * prompts slower: 1B in Q4_K_M 166 tokens/s, not 240 (Zen 5).
   */
  private static String converted(Type type, String ints) {
    return type.scaled() ? number(ints) : JavaSource.number(ints);
  }

  private static String number(String ints) {
    return "((FloatVector) " + ints + ".convert(VectorOperators.I2F, 0))";
  }

  /** The shorts in the low halves of lanes. */
  private static String low(String ints) {
    return ints + ".lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)";
  }

  /** The shorts in the high halves of lanes. */
  private static String high(String ints) {
    return ints + ".lanewise(VectorOperators.ASHR, 16)";
  }

  private void line(String text) {
    out.line(text);
  }
}

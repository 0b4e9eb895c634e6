package dev.sortie.tensor.gen;

import dev.sortie.tensor.gen.WeightType.Blocks;
import dev.sortie.tensor.gen.WeightType.Elements;
import dev.sortie.tensor.gen.WeightType.Tile;
import dev.sortie.tensor.gen.WeightType.Vector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Generates the row kernels of {@code simd.gemv}: one skeleton for every type of weights, see
 * {@link WeightTypes}, and every tile of weight rows and rows of x. A helper method in their loops
 * would cost a third of the speed, as {@code RowKernel} says; so what they share is here.
 */
final class RowKernelSources {
  private static final List<String> COUNTS = List.of("", "one", "two", "three", "four");

  private final WeightType type;
  private final JavaSource.Lines out = new JavaSource.Lines();

  private RowKernelSources(WeightType type) {
    this.type = type;
  }

  /** The sources by their place below the package of SIMD kernels. */
  static Map<String, String> sources() {
    Map<String, String> files = new TreeMap<>();
    for (WeightType type : WeightTypes.all()) {
      files.put("gemv/" + type.className() + ".java", new RowKernelSources(type).file());
      if (type.guard() != null) {
        files.put("gemv/" + exactName(type) + ".java", new RowKernelSources(type).exactFile());
      }
    }
    return files;
  }

  private static String exactName(WeightType type) {
    return type.className() + "Exact";
  }

  /** The kernels for rows that the guard suspects. */
  private String exactFile() {
    type.tiles().stream().map(t -> new Tile(1, t.rows())).distinct().forEach(t -> kernel(t, true));
    String body = "private %s() {}\n\n%s".formatted(exactName(type), out);
    return JavaSource.file(
        RowKernelSources.class,
        "gemv",
        "{@link RowKernel}s " + type.guard().doc(),
        exactName(type),
        body);
  }

  private String file() {
    type.tiles().forEach(tile -> kernel(tile, false));
    String block =
        type.walk() instanceof Blocks blocks
            ? """

            /** Bytes of a block. */
            private static final long BLOCK = %d;
            """
                .formatted(blocks.bytes())
            : "";
    String body =
        """
        %s
        %s
        /** The kernels by rows of x. */
        static final RowKernels KERNELS = %s;

        private %s() {}

        %s
        """
            .formatted(block, type.constants(), table(), type.className(), out);
    return JavaSource.file(
        RowKernelSources.class, "gemv", "{@link RowKernel}s " + type.doc(), type.className(), body);
  }

  /** The constructor's call that names the kernels for one to four rows of x. */
  private String table() {
    Tile one = new Tile(1, 1);
    Tile pairs = new Tile(2, 1);
    String onePairs =
        type.tiles().contains(pairs)
            ? "RowKernels.pairs(%s, %s)".formatted(reference(one), reference(pairs))
            : "null";
    return IntStream.rangeClosed(2, 4)
        .mapToObj(this::forRows)
        .collect(
            Collectors.joining(
                ", ", "new RowKernels(%s, %s, ".formatted(reference(one), onePairs), ")"));
  }

  private String forRows(int rows) {
    Tile single = new Tile(1, rows);
    Tile pairs = new Tile(2, rows);
    if (!type.tiles().contains(pairs)) {
      return type.tiles().contains(single) ? reference(single) : "null";
    }
    if (!type.tiles().contains(single)) {
      return "RowKernels.threes(%s)".formatted(reference(pairs));
    }
    String choice = rows == 2 ? "pairs" : "tiled";
    return "RowKernels.%s(%s, %s)".formatted(choice, reference(single), reference(pairs));
  }

  private String reference(Tile tile) {
    return type.className() + "::" + tile.name();
  }

  /** The skeleton: weight rows outside, k inside, and the last step of each sum. */
  private void kernel(Tile tile, boolean exact) {
    line(javadoc(tile));
    line(
        "static void %s(long x, long w, long rowBytes, long sums, long count, long k) {"
            .formatted(tile.name()));
    List<Vector> vectors = exact ? type.guard().exact() : type.vectors();
    boolean guarded = type.guard() != null && !exact;
    switch (type.walk()) {
      case Elements _ -> {
        line("long pairs = k / (2 * LANES) * (2 * BYTES);");
        line("boolean odd = k / LANES % 2 != 0;");
      }
      case Blocks blocks -> line("long end = k / %d * BLOCK;".formatted(blocks.elements()));
    }
    line("long x0 = x & ADDRESS;");
    for (int r = 1; r < tile.rows(); r++) {
      line("long x%d = (x + %d * k) & ADDRESS;".formatted(r, 4 * r));
    }
    if (tile.weightRows() == 2) {
      line("long half = count / 2;");
    }
    line("for (long j = 0; j < %s; j++) {".formatted(tile.weightRows() == 2 ? "half" : "count"));
    for (int w = 0; w < tile.weightRows(); w++) {
      line("long row%s = (w + rowBytes * %s) & ADDRESS;".formatted(tile.index(w), weightRow(w)));
    }
    if (unpacks()) {
      for (int w = 0; w < tile.weightRows(); w++) {
        line("long scales%s = (%s) & ADDRESS;".formatted(tile.index(w), address(w)));
      }
    }
    for (int w = 0; w < tile.weightRows(); w++) {
      for (int r = 0; r < tile.rows(); r++) {
        line("FloatVector a%s = FloatVector.zero(F);".formatted(tile.index(w, r)));
        line("FloatVector b%s = FloatVector.zero(F);".formatted(tile.index(w, r)));
      }
    }
    if (guarded) {
      each(tile, type.guard().seen());
    }
    switch (type.walk()) {
      case Elements _ -> elements(tile, vectors, guarded);
      case Blocks blocks -> blocks(tile, blocks);
    }
    for (int w = 0; w < tile.weightRows(); w++) {
      sums(tile, w);
    }
    if (guarded) {
      for (int w = 0; w < tile.weightRows(); w++) {
        line("if (%s) {".formatted(type.guard().suspect().replace("#", tile.index(w))));
        line(
            "%s.%s(x, row%s, rowBytes, %s, 1, k);"
                .formatted(
                    exactName(type), new Tile(1, tile.rows()).name(), tile.index(w), address(w)));
        line("}");
      }
    }
    line("}\n}\n");
  }

  /** Adds the vectors of sums of a weight row up to one, see {@code GemvSums}, and stores it. */
  private void sums(Tile tile, int w) {
    // One times a plus b: a and b, which the loop carried, are of an unknown width to the compiler,
    // and a method called on one of them may leave objects.
    if (w == 0) {
      line("FloatVector one = FloatVector.broadcast(F, 1f);");
    }
    List<String> vectors =
        IntStream.range(0, tile.rows())
            .mapToObj(r -> "one.fma(a%1$s, b%1$s)".formatted(tile.index(w, r)))
            .toList();
    vectors = halved(vectors, "s" + tile.index(w), "ODD", "SWAP");
    vectors = halved(vectors, "t" + tile.index(w), "ODD_PAIRS", "SWAP_PAIRS");
    String to = unpacks() ? "scales" + tile.index(w) : address(w);
    line("%s.intoMemorySegment(MEMORY, %s, ORDER);".formatted(vectors.getFirst(), to));
  }

  /**
   * Makes one vector of each two, of which neighbours are added: the even lanes of the first and
   * the odd ones of the second, and the rest with its neighbours swapped. A single last vector is
   * its own partner.
   */
  private List<String> halved(List<String> vectors, String name, String odd, String swap) {
    if (vectors.size() == 1) {
      return vectors;
    }
    for (int i = 0; i < vectors.size(); i++) {
      line("FloatVector %s%d = %s;".formatted(name, i, vectors.get(i)));
    }
    List<String> halves = new ArrayList<>();
    for (int i = 0; i < vectors.size(); i += 2) {
      String v = name + i;
      String w = name + Math.min(i + 1, vectors.size() - 1);
      halves.add(
          "%1$s.blend(%2$s, %3$s).add(%2$s.blend(%1$s, %3$s).rearrange(%4$s))"
              .formatted(v, w, odd, swap));
    }
    return halves;
  }

  private static String javadoc(Tile tile) {
    String sums = 2 * tile.weightRows() * tile.rows() + " sums";
    String rows = COUNTS.get(tile.rows()) + (tile.rows() == 1 ? " row" : " rows") + " of x";
    if (tile.weightRows() == 1) {
      return "/** One weight row, " + rows + ": " + sums + ". */";
    }
    String need = tile.rows() > 3 ? ", which need 32 vector registers" : "";
    return """
    /**
     * Two weight rows, %s: %s%s; {@code count} is even. Rows lie half the count apart, so that each
     * is a long stream to the prefetcher.
     */\
    """
        .formatted(rows, sums, need);
  }

  private void elements(Tile tile, List<Vector> vectors, boolean guarded) {
    line("for (long at = 0; at != pairs; at += 2 * BYTES) {");
    line("long o = at & OFFSET;");
    body(tile, vectors, guarded);
    line("}");
    line("if (odd) {");
    line("long o = pairs & OFFSET;");
    body(tile, vectors.subList(0, 1), guarded);
    line("}");
  }

  private void blocks(Tile tile, Blocks blocks) {
    line("long xo = 0;");
    line("for (long wo = 0; wo != end; wo += BLOCK) {");
    each(tile, "long p# = row# + (wo & OFFSET);");
    if (unpacks()) {
      each(tile, blocks.inner().unpack());
      line(blocks.inner().loop() + " {");
      each(tile, blocks.inner().pointers());
    }
    line("long o = xo & OFFSET;");
    body(tile, type.vectors(), false);
    line("xo += %d * BYTES;".formatted(type.vectors().size()));
    line(unpacks() ? "}\n}" : "}");
  }

  private boolean unpacks() {
    return type.walk() instanceof Blocks blocks && blocks.inner() != null;
  }

  /** Decodes the vectors of weights in turn and multiplies each with all rows of x. */
  private void body(Tile tile, List<Vector> vectors, boolean guarded) {
    each(tile, type.head());
    for (int i = 0; i < vectors.size(); i++) {
      String declared = i == 0 ? "FloatVector " : "";
      String sum = i % 2 == 0 ? "a" : "b";
      String offset = "o" + JavaSource.plus(i, "BYTES");
      each(tile, vectors.get(i).before());
      each(tile, declared + "v# = " + vectors.get(i).weights() + ";");
      for (int r = 0; r < tile.rows(); r++) {
        String x = "FloatVector.fromMemorySegment(F, MEMORY, x%d + %s, ORDER)".formatted(r, offset);
        if (tile.weightRows() == 1) {
          line("%1$s = v.fma(%2$s, %1$s);".formatted(sum + tile.index(0, r), x));
          continue;
        }
        line((r == 0 ? declared : "") + "u = " + x + ";");
        for (int w = 0; w < tile.weightRows(); w++) {
          line("%1$s = v%2$s.fma(u, %1$s);".formatted(sum + tile.index(w, r), tile.index(w)));
        }
      }
    }
    if (guarded) {
      each(tile, vectors.size() == 1 ? type.guard().gather() : type.guard().gatherAll());
    }
  }

  private static String weightRow(int w) {
    return w == 0 ? "j" : "(j + half)";
  }

  /** Where the sums of a weight row go. */
  private static String address(int w) {
    return "sums + %s * BYTES".formatted(weightRow(w));
  }

  /** Writes a text for each weight row. */
  private void each(Tile tile, String text) {
    for (int w = 0; w < tile.weightRows(); w++) {
      line(text.replace("#", tile.index(w)));
    }
  }

  private void line(String text) {
    out.line(text);
  }
}

package dev.sortie.tensor.gen;

import dev.sortie.tensor.gen.WeightType.Blocks;
import dev.sortie.tensor.gen.WeightType.Elements;
import dev.sortie.tensor.gen.WeightType.Guard;
import dev.sortie.tensor.gen.WeightType.Inner;
import dev.sortie.tensor.gen.WeightType.Tile;
import dev.sortie.tensor.gen.WeightType.Vector;
import java.util.List;
import java.util.stream.Stream;

/** The types of weights that have row kernels, and how their vectors are decoded. */
final class WeightTypes {
  /** One to four rows of x, several also with two weight rows at a time, three only so. */
  private static final List<Tile> FEW =
      List.of(
          new Tile(1, 1),
          new Tile(1, 2),
          new Tile(2, 2),
          new Tile(2, 3),
          new Tile(1, 4),
          new Tile(2, 4));

  /** Likewise, and one row of x with two weight rows. */
  private static final List<Tile> FEW_AND_PAIRS =
      Stream.concat(Stream.of(new Tile(2, 1)), FEW.stream()).toList();

  /** With more rows, decoding first costs less than a pass does. */
  private static final List<Tile> ONE = List.of(new Tile(1, 1));

  private static final String LOW_BITS =
      """
      /** 2^23 as bits, whose last mantissa bit is worth 1: {@code LOW | q} is 2^23 + q. */
      private static final int LOW = 0x4b00_0000;
      """;

  private static final String NIBBLE_BITS =
      LOW_BITS
          + """

          /** 2^19, whose bit 4 is worth 1, so that high nibbles need no shift. */
          private static final int HIGH = 0x4900_0000;
          """;

  private WeightTypes() {}

  /** All types, in the order in which {@code DType} has them. */
  static List<WeightType> all() {
    return List.of(f32(), bf16(), f16(), q80(), q40(), q41(), q4k(), q6k());
  }

  private static WeightType f32() {
    return new WeightType(
        "F32",
        "for F32 weights.",
        "",
        new Elements(),
        "",
        List.of(new Vector(floats("row# + o")), new Vector(floats("row# + o + BYTES"))),
        null,
        FEW_AND_PAIRS);
  }

  private static WeightType bf16() {
    return new WeightType(
        "Bf16",
        "for BF16 weights, widened in registers: a BF16 number is the upper half of a float.",
        "",
        new Elements(),
        "",
        halves("$#.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats()"),
        null,
        FEW_AND_PAIRS);
  }

  private static WeightType f16() {
    String finite =
        """
        $#.lanewise(VectorOperators.LSHL, 13)
            .and(0x8fff_e000)
            .reinterpretAsFloats()
            .mul(0x1p112f)\
        """;
    String exact =
        finite
            + """

            .reinterpretAsInts()
            .or(
                IntVector.broadcast(I, 0x7bff)
                    .sub($#.and(0x7fff))
                    .lanewise(VectorOperators.ASHR, 31)
                    .and(0x7f80_0000))
            .reinterpretAsFloats()\
            """;
    return new WeightType(
        "F16",
        """
        for F16 weights, widened in registers: exponent and mantissa move to their places by a
        shift, and the exponent gets its bias by a product with 2^112, which is exact and makes
        subnormals right, too. The bits of a negative half are sign-extended, hence the mask.

        <p>Infinity and NaN become numbers from 2^16 on in this way. Setting all bits of their
        exponent costs four tenths of the speed, so that it is done for a row alone whose weights
        have, all taken together, all of these bits: it has such a weight, or one from 2 on.
        """,
        "",
        new Elements(),
        "",
        halves(finite),
        new Guard(
            "IntVector seen# = IntVector.zero(I);",
            "seen# = h#.or(seen#);",
            "seen# = h#.or(g#).or(seen#);",
            "IntVector.broadcast(I, 0x7c00).and(seen#).compare(VectorOperators.EQ,"
                + " 0x7c00).anyTrue()",
            halves(exact),
            """
            for rows of F16 weights that may hold infinities and NaN, see {@link GemvF16}: all bits
            of their exponent are set.
            """),
        FEW_AND_PAIRS);
  }

  /**
   * Two vectors of 16-bit numbers, {@code h#} and {@code g#}.
   *
   * @param widen what makes F32 of one, {@code $#}
   */
  private static List<Vector> halves(String widen) {
    return List.of(half("h", "o / 2", widen), half("g", "o / 2 + BYTES / 2", widen));
  }

  private static Vector half(String name, String offset, String widen) {
    return new Vector(
        """
        IntVector %s# =
            (IntVector)
                ShortVector.fromMemorySegment(S, MEMORY, row# + %s, ORDER)
                    .convertShape(VectorOperators.S2I, I, 0);
        """
            .formatted(name, offset),
        widen.replace("$", name));
  }

  private static WeightType q80() {
    String quanta =
        """
        ((FloatVector) ByteVector.fromMemorySegment(B, MEMORY, %s, ORDER)
            .convertShape(VectorOperators.B2F, F, 0))
        """;
    return new WeightType(
        "Q80",
        """
        for Q8_0 weights and vectors of 512 bits: a block is a scale and two vectors, which go to
        the two sums.
        """,
        "",
        new Blocks(32, 34, null),
        "FloatVector d# = %s;".formatted(half("p#")),
        List.of(
            new Vector(quanta.formatted("p# + 2") + ".mul(d#)"),
            new Vector(quanta.formatted("p# + 18") + ".mul(d#)")),
        null,
        FEW);
  }

  private static WeightType q40() {
    return new WeightType(
        "Q40",
        """
        for Q4_0 weights and vectors of 512 bits: a block is a scale and 16 bytes, whose low nibbles
        go to one sum and the high ones to the other.

        <p>A nibble becomes a number as mantissa bits of a power of two, which is then subtracted:
        the subtraction runs in parallel with the multiplications, where a conversion or a look-up
        in a table of 16 products ({@code selectFrom}) was no faster. Zen 4, one thread, 512 x 1024
        in L2: 9.5 GB/s each.
        """,
        NIBBLE_BITS,
        new Blocks(32, 18, null),
        """
        FloatVector d# = %s;
        IntVector q# = %s;
        """
            .formatted(half("p#"), bytes("p# + 2")),
        List.of(
            new Vector(lowNibbles("q#", "0x1p23f + 8") + ".mul(d#)"),
            new Vector(highNibbles("q#", "0x1p19f + 8") + ".mul(d#)")),
        null,
        FEW);
  }

  private static WeightType q41() {
    return new WeightType(
        "Q41",
        """
        for Q4_1 weights and vectors of 512 bits, see {@link GemvQ40}; a block has a minimum as
        well.
        """,
        NIBBLE_BITS,
        new Blocks(32, 20, null),
        """
        FloatVector d# = %s;
        FloatVector m# = %s;
        IntVector q# = %s;
        """
            .formatted(half("p#"), half("p# + 2"), bytes("p# + 4")),
        List.of(
            new Vector(lowNibbles("q#", "0x1p23f") + ".fma(d#, m#)"),
            new Vector(highNibbles("q#", "0x1p19f") + ".fma(d#, m#)")),
        null,
        FEW);
  }

  private static WeightType q4k() {
    return new WeightType(
        "Q4K",
        """
        for Q4_K weights and vectors of 512 bits; nibbles as in {@link GemvQ40}. The scales and
        minima of a block, see {@link DequantiseQ4K}, wait where the sums will be, from where each
        is loaded into all lanes at no cost of shuffles.
        """,
        NIBBLE_BITS,
        new Blocks(
            256,
            144,
            new Inner(
                "DequantiseQ4K.unpack(p#, scales#);",
                "for (long u = 0; u != 128; u += 32)",
                """
                long at# = p# + 16 + (u & OFFSET);
                long s# = scales# + ((u & OFFSET) >> 2);
                """)),
        """
        IntVector q0# = %s;
        IntVector q1# = %s;
        FloatVector scale# = %s;
        FloatVector minimum# = %s;
        """
            .formatted(bytes("at#"), bytes("at# + 16"), scalar("s#"), scalar("s# + 32")),
        List.of(
            new Vector(lowNibbles("q0#", "0x1p23f") + ".fma(scale#, minimum#)"),
            new Vector(lowNibbles("q1#", "0x1p23f") + ".fma(scale#, minimum#)"),
            new Vector(
                """
                scale# = %s;
                minimum# = %s;
                """
                    .formatted(scalar("s# + 4"), scalar("s# + 36")),
                highNibbles("q0#", "0x1p19f") + ".fma(scale#, minimum#)"),
            new Vector(highNibbles("q1#", "0x1p19f") + ".fma(scale#, minimum#)")),
        null,
        ONE);
  }

  private static WeightType q6k() {
    return new WeightType(
        "Q6K",
        """
        for Q6_K weights and vectors of 512 bits, see {@link DequantiseQ6K}. A block's 16 scales
        wait where the sums will be, as in {@link GemvQ4K}.
        """,
        LOW_BITS,
        new Blocks(
            256,
            210,
            new Inner(
                "DequantiseQ6K.unpack(p#, scales#);",
                "for (long u = 0; u != 4; u++)",
                """
                long offset# = 32 * (u >> 1 & 1);
                int shift# = (int) (4 * (u & 1));
                long at# = p# + 2 * offset#;
                long h# = p# + 128 + offset#;
                long s# = scales# + 16 * (u & 3);
                """)),
        shifted("high0#", "h#") + shifted("high1#", "h# + 16"),
        List.of(
            sixBits("q0#", "at#", "high0#", 4, "s#"),
            sixBits("q1#", "at# + 16", "high1#", 4, "s# + 4"),
            sixBits("q2#", "at# + 32", "high0#", 2, "s# + 8"),
            sixBits("q3#", "at# + 48", "high1#", 2, "s# + 12")),
        null,
        ONE);
  }

  /** Low or high nibbles of 16 bytes and two bits above them, times the scale at {@code scale}. */
  private static Vector sixBits(String q, String at, String high, int shift, String scale) {
    return new Vector(
        shifted(q, at),
        """
        %s.and(15)
            .or(%s.lanewise(VectorOperators.LSHL, %d).and(0x30))
            .or(LOW).reinterpretAsFloats().sub(0x1p23f + 32)
            .mul(%s)
        """
            .formatted(q, high, shift, scalar(scale)));
  }

  private static String shifted(String q, String at) {
    return """
    IntVector %1$s = %2$s;
    %1$s = %1$s.lanewise(VectorOperators.LSHR, shift#);
    """
        .formatted(q, bytes(at));
  }

  private static String lowNibbles(String q, String zero) {
    return q + ".and(0x0f).or(LOW).reinterpretAsFloats().sub(" + zero + ")";
  }

  private static String highNibbles(String q, String zero) {
    return q + ".and(0xf0).or(HIGH).reinterpretAsFloats().sub(" + zero + ")";
  }

  private static String floats(String at) {
    return "FloatVector.fromMemorySegment(F, MEMORY, " + at + ", ORDER)";
  }

  /** As many bytes as a vector has lanes, zero-extended. */
  private static String bytes(String at) {
    return """
    (IntVector) ByteVector.fromMemorySegment(B, MEMORY, %s, ORDER)
        .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0)\
    """
        .formatted(at);
  }

  /** A float in all lanes. */
  private static String scalar(String at) {
    return "FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, " + at + "))";
  }

  /** An F16 number in all lanes. */
  private static String half(String at) {
    return "FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, %s)))"
        .formatted(at);
  }
}

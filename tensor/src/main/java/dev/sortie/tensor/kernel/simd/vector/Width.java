package dev.sortie.tensor.kernel.simd.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width of this JVM, chosen once, for kernels are only fast if the species is a
 * constant: what {@value #PROPERTY} forces, else what the CPU prefers, at most 512 bits.
 */
public final class Width {
  /** The system property that forces a kernel set, and with it a width, for the whole JVM. */
  public static final String PROPERTY = "sortie.kernels";

  private static final String FORCED = System.getProperty(PROPERTY, "auto");

  /** The species of all kernels. */
  public static final VectorSpecies<Float> F = species(FORCED);

  /** As many integers. */
  public static final VectorSpecies<Integer> I = F.withLanes(int.class);

  /** As many 16-bit elements. */
  public static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));

  /** As many bytes; 128 bits have four, which no vector is small enough for. */
  public static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, F.vectorBitSize() / 4)));

  /** Twice as many 16-bit elements: vectors of the same size. */
  public static final VectorSpecies<Short> W = F.vectorShape().withLanes(short.class);

  /** Elements per vector. */
  public static final int LANES = F.length();

  /** Whether the machine has 32 vector registers, not 16. */
  public static final boolean MANY_REGISTERS =
      LANES >= 16 || System.getProperty("os.arch").equals("aarch64");

  private Width() {}

  /** Such as {@code simd512}. */
  public static String name() {
    return "simd" + F.vectorBitSize();
  }

  /**
   * Fails if a width is forced that the CPU (or the JVM's flags) lacks: the JVM would run it, but
   * through Java objects and some hundred times slower.
   */
  public static void check() {
    int widest = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    if (F.vectorBitSize() > widest) {
      throw new IllegalStateException(
          "-D%s=%s needs %d-bit vectors, this JVM on this CPU has %d; take %s"
              .formatted(
                  PROPERTY,
                  FORCED,
                  F.vectorBitSize(),
                  widest,
                  widest < 128 ? "scalar" : "simd" + widest));
    }
  }

  private static VectorSpecies<Float> species(String name) {
    return switch (name) {
      case "simd128" -> FloatVector.SPECIES_128;
      case "simd256" -> FloatVector.SPECIES_256;
      case "simd512" -> FloatVector.SPECIES_512;
      default ->
          switch (FloatVector.SPECIES_PREFERRED.vectorBitSize()) {
            case 64, 128 -> FloatVector.SPECIES_128;
            case 256 -> FloatVector.SPECIES_256;
            default -> FloatVector.SPECIES_512;
          };
    };
  }
}

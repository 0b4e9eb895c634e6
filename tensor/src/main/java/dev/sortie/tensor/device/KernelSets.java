package dev.sortie.tensor.device;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.simd.SimdKernels;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** The choice of a kernel set by name. */
public final class KernelSets {
  /**
   * Names that {@link #choose} takes. {@code auto} (or nothing) is the fastest set of this machine.
   */
  public static final List<String> NAMES =
      List.of("auto", "scalar", "simd", "simd128", "simd256", "simd512");

  /**
   * The system property that forces a set for the whole JVM; a vector width can only be chosen
   * here, before the kernels are loaded.
   */
  public static final String PROPERTY = Width.PROPERTY;

  private static final String VECTORS = "jdk.incubator.vector";

  /** The JVM's flag without which there are no vectors on the class path. */
  public static final String FLAG = "--add-modules " + VECTORS;

  private KernelSets() {}

  /**
   * The set that {@value #PROPERTY} names, or the fastest: on vectors where the JVM has their
   * module and lets us address native memory, else the scalar one, which is said once in the log
   * with the flag that is missing.
   *
   * @throws IllegalArgumentException if the set is unknown
   * @throws IllegalStateException if the set is on vectors, which this JVM does not have
   */
  public static Kernels choose(WorkerPool pool) {
    String name = System.getProperty(PROPERTY, "auto");
    return switch (name.isBlank() ? "auto" : name) {
      case "scalar" -> new ScalarKernels();
      case "auto" -> missing().isEmpty() ? new SimdKernels(pool) : WithoutVectors.scalar();
      case "simd", "simd128", "simd256", "simd512" -> {
        missing()
            .ifPresent(
                what -> {
                  throw new IllegalStateException(
                      "-D%s=%s needs %s".formatted(PROPERTY, name, what));
                });
        yield new SimdKernels(pool);
      }
      default ->
          throw new IllegalArgumentException(
              "-D" + PROPERTY + "=" + name + " is not a kernel set; take one of " + NAMES);
    };
  }

  /**
   * Whether the Vector API is there. Our own module requires it; on the class path a flag brings it
   * in, as a module or as the jar that the launcher makes of it.
   */
  public static boolean hasVectors() {
    try {
      Class.forName(VECTORS + ".Vector", false, KernelSets.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  /** What kernels on vectors need and do not have, with the JVM's flag for it. */
  private static Optional<String> missing() {
    if (!hasVectors()) {
      return Optional.of("the module %s; start the JVM with %s".formatted(VECTORS, FLAG));
    }
    try {
      MemorySegment.NULL.reinterpret(1);
      return Optional.empty();
    } catch (IllegalCallerException e) {
      Module own = KernelSets.class.getModule();
      return Optional.of(
          "native access; start the JVM with --enable-native-access="
              + (own.isNamed() ? own.getName() : "ALL-UNNAMED"));
    }
  }

  /** Initialised, and so said, once. */
  private static final class WithoutVectors {
    static {
      System.getLogger(KernelSets.class.getName())
          .log(
              System.Logger.Level.WARNING,
              "the scalar kernels are used, which are many times slower than those on vectors: these need "
                  + missing().orElse("nothing"));
    }

    static Kernels scalar() {
      return new ScalarKernels();
    }
  }
}

package dev.sortie.tensor.device;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.simd.SimdKernels;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.util.List;

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
   * module, else the scalar one, which is said once in the log with the flag that is missing.
   *
   * @throws IllegalArgumentException if the set is unknown, or on vectors that are not there
   */
  public static Kernels choose(WorkerPool pool) {
    String name = System.getProperty(PROPERTY, "auto");
    return switch (name.isBlank() ? "auto" : name) {
      case "scalar" -> new ScalarKernels();
      case "auto" -> hasVectors() ? new SimdKernels(pool) : MissingVectors.scalar();
      case "simd", "simd128", "simd256", "simd512" -> {
        if (!hasVectors()) {
          throw new IllegalArgumentException(
              "-D%s=%s needs the module %s; start the JVM with %s"
                  .formatted(PROPERTY, name, VECTORS, FLAG));
        }
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

  /** Initialised, and so said, once. */
  private static final class MissingVectors {
    static {
      System.getLogger(KernelSets.class.getName())
          .log(
              System.Logger.Level.WARNING,
              "the scalar kernels are used, which are many times slower than those on vectors: the"
                  + " module "
                  + VECTORS
                  + " is not there; start the JVM with "
                  + FLAG);
    }

    static Kernels scalar() {
      return new ScalarKernels();
    }
  }
}

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

  private KernelSets() {}

  /** The set that {@value #PROPERTY} names, or the fastest. */
  public static Kernels choose(WorkerPool pool) {
    String name = System.getProperty(PROPERTY, "auto");
    return switch (name.isBlank() ? "auto" : name) {
      case "scalar" -> new ScalarKernels();
      case "auto", "simd", "simd128", "simd256", "simd512" -> new SimdKernels(pool);
      default ->
          throw new IllegalArgumentException(
              "-D" + PROPERTY + "=" + name + " is not a kernel set; take one of " + NAMES);
    };
  }
}

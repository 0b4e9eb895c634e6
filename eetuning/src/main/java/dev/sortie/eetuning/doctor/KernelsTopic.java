package dev.sortie.eetuning.doctor;

import dev.sortie.tensor.device.KernelSets;

/** The kernel set in use, and why this one. */
final class KernelsTopic {
  private static final String SIMD = "simd";

  private KernelsTopic() {}

  /** No set at all: it is forced and this machine lacks it, or the JVM has no vectors. */
  static Topic none(String reason) {
    return new Topic("kernels")
        .fact("set", "none")
        .fact("reason", reason)
        .advise("no kernel set can be opened: " + reason);
  }

  /**
   * @param set name of the set in use
   * @param forced the value of {@link KernelSets#PROPERTY}, or empty
   * @param cpuBits width of the processor's vectors, 0 if unknown
   */
  static Topic of(String set, String forced, Jvm jvm, int cpuBits) {
    boolean chosen = forced.isBlank() || forced.equals("auto") || forced.equals(SIMD);
    boolean scalar = set.equals("scalar");
    boolean simd = set.startsWith(SIMD);
    String reason;
    if (!scalar && !simd) {
      reason = "those of the device";
    } else if (!chosen) {
      reason = "forced by -D" + KernelSets.PROPERTY + "=" + forced;
    } else if (simd) {
      reason = "the widest vectors that this JVM uses on this processor, up to 512 bits";
    } else {
      reason = "this JVM was started without the module of the Vector API";
    }
    Topic t =
        new Topic("kernels")
            .fact("set", set)
            .fact("reason", reason)
            .fact("forced", chosen ? "" : forced);
    if (cpuBits > 0) {
      t.fact("cpu_vector_bits", cpuBits);
    }
    if (scalar) {
      return t.advise(
          chosen
              ? "the scalar kernels are in use: start the JVM with " + KernelSets.FLAG
              : "the scalar kernels were forced: unset SORTIE_KERNELS for the vector kernels");
    }
    if (!simd) {
      return t;
    }
    int bits = Integer.parseInt(set.substring(SIMD.length()));
    if (bits >= cpuBits) {
      return t;
    }
    String wider = "the processor has vectors of %d bits, %d are used: ".formatted(cpuBits, bits);
    int avx = cpuBits == 512 ? 3 : 2;
    if (!chosen) {
      t.advise(wider + "unset SORTIE_KERNELS");
    } else if (jvm.number("UseAVX", avx) < avx) {
      t.advise(
          wider
              + "UseAVX is %d; start with -XX:UseAVX=%d, and keep it if self_test is faster"
                  .formatted(jvm.number("UseAVX", avx), avx));
    } else if (8 * jvm.number("MaxVectorSize", 64) < cpuBits) {
      t.advise(wider + "start without -XX:MaxVectorSize=" + jvm.number("MaxVectorSize", 64));
    } else {
      t.advise(wider + "the JVM does not say why; try another build of JDK 25");
    }
    return t;
  }
}

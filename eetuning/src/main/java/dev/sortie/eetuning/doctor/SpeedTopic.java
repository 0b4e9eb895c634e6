package dev.sortie.eetuning.doctor;

import dev.sortie.tensor.device.KernelSpeed;

/** A quick measurement: whether the compiler makes of the kernels what the vectors should give. */
final class SpeedTopic {
  /**
   * Share of the expected speed under which something is wrong. The widest vectors of some
   * processors run at half the rate of narrower ones (Zen 4: 0.5), and a matrix product in cache
   * reaches 0.8 of the peak; one whose vectors became Java objects reaches 0.05.
   */
  private static final double SLOW = 1.0 / 3;

  /** GFLOP/s, one float at a time, that every processor with the instruction passes by far. */
  private static final double EMULATED = 0.5;

  private SpeedTopic() {}

  static Topic of(KernelSpeed s) {
    Topic t =
        new Topic("self_test")
            .fact("scalar_fma_gflops", rounded(s.scalar()))
            .fact("vector_fma_gflops", rounded(s.vector()))
            .fact("gemm_gflops", rounded(s.gemm()))
            .fact("read_gb_per_s", rounded(s.read()));
    if (s.scalar() < EMULATED) {
      return t.advise(
          ("fused multiply-adds are emulated (%.2f GFLOP/s): this processor has none, or flags such as"
                  + " -XX:UseAVX=0 or -XX:-UseFMA switch them off; start without these flags")
              .formatted(s.scalar()));
    }
    double expected = s.scalar() * s.lanes();
    if (s.vector() < SLOW * expected) {
      t.advise(
          ("vectors of %d floats reach %.1f GFLOP/s per core where some %.0f were to be expected: the"
                  + " compiler does not turn them into instructions, or other programs hold the"
                  + " cores; see the flags above, and measure again")
              .formatted(s.lanes(), s.vector(), expected));
    } else if (s.lanes() > 1 && s.gemm() < SLOW * s.vector()) {
      t.advise(
          ("the matrix product reaches %.1f of the %.1f GFLOP/s that vectors give per core: the"
                  + " compiler did not inline it whole, or other programs hold the cores; measure"
                  + " again, and report it if it stays")
              .formatted(s.gemm(), s.vector()));
    }
    return t;
  }

  private static double rounded(double value) {
    return Math.round(100 * value) / 100.0;
  }
}

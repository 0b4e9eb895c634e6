package dev.sortie.opencl;

import java.util.List;

/** Kernels that are cut alike, and that a {@link KernelTuner} measures together. */
enum Family {
  /** Elements, norms, softmax, losses and their gradients. */
  ROWS("rms_norm", "softmax", "argmax", "swiglu", "cross_entropy_gradient", "rms_norm_backward"),
  /** Attention, forward and backward. */
  ATTENTION("attention ", "attention KV_BF16", "attention_backward "),
  /** Products of few rows with weights in F32, BF16 and F16. */
  WEIGHTS("gemv F32", "gemv BF16", "gemv F16", "gather BF16"),
  /** Products of few rows with weights in quantised blocks. */
  BLOCKS("gemv Q8_0", "gemv Q4_0", "gemv Q4_K", "gather Q4_K"),
  /** Products of matrices. */
  MATRIX("gemm NT F32", "gemm NN F32", "gemm NT Q4_K", "gemm NN BF16");

  private final List<String> trials;

  Family(String... trials) {
    this.trials = List.of(trials);
  }

  /** Kernels that must pass their trials before a cut is measured, as certification names them. */
  List<String> trials() {
    return trials;
  }

  /**
   * The family of a source.
   *
   * @param file without its ending
   * @param define the macro that the source is compiled for, or empty
   */
  static Family of(String file, String define) {
    return switch (file) {
      case "attention" -> ATTENTION;
      case "weights" -> define.startsWith("W_Q") ? BLOCKS : WEIGHTS;
      case "gemm" -> MATRIX;
      default -> ROWS;
    };
  }
}

package dev.sortie.eetuning;

import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.concurrent.Cores;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * How a model is loaded and where it computes. Immutable; each method returns a modified copy.
 *
 * @param device {@code cpu}, {@code opencl} or {@code opencl:N}; the latter two need the module
 *     {@code sortie-kernels-opencl}
 * @param threads number of CPU threads, 1 to 1024
 * @param precision type of matrices in memory
 * @param arithmetic how products with quantised weights are computed
 * @param chatTemplate a file to use instead of the model's own chat template
 */
public record LoadOptions(
    String device,
    int threads,
    Precision precision,
    Arithmetic arithmetic,
    Optional<Path> chatTemplate) {

  /**
   * The defaults of the command line: the CPU, one thread per physical core, matrices as the file
   * stores them, integer arithmetic for quantised weights.
   */
  public static final LoadOptions DEFAULT =
      new LoadOptions(
          "cpu", Cores.physical(), Precision.FILE, Arithmetic.INTEGER, Optional.empty());

  /** Checks the number of threads. */
  public LoadOptions {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(precision, "precision");
    Objects.requireNonNull(arithmetic, "arithmetic");
    Objects.requireNonNull(chatTemplate, "chatTemplate");
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads " + threads + " is outside 1 to 1024");
    }
  }

  /** Returns a copy with another device. */
  public LoadOptions device(String word) {
    return new LoadOptions(word, threads, precision, arithmetic, chatTemplate);
  }

  /** Returns a copy with another number of threads. */
  public LoadOptions threads(int count) {
    return new LoadOptions(device, count, precision, arithmetic, chatTemplate);
  }

  /** Returns a copy with another type of matrices. */
  public LoadOptions precision(Precision type) {
    return new LoadOptions(device, threads, type, arithmetic, chatTemplate);
  }

  /** Returns a copy that computes in F32 also with quantised weights. */
  public LoadOptions exact() {
    return new LoadOptions(device, threads, precision, Arithmetic.EXACT, chatTemplate);
  }

  /** Returns a copy with a chat template from a file. */
  public LoadOptions chatTemplate(Path file) {
    return new LoadOptions(device, threads, precision, arithmetic, Optional.of(file));
  }
}

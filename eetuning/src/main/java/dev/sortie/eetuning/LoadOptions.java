package dev.sortie.eetuning;

import dev.sortie.nn.load.Arithmetic;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.concurrent.Cores;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * How a model is held and where it computes. Immutable; each method gives other options.
 *
 * @param device {@code cpu}, or {@code opencl} or {@code opencl:N} where the module of that device
 *     is there
 * @param threads of the CPU, 1 to 1024
 * @param precision in which type matrices are held
 * @param arithmetic how few rows are multiplied with weights in quantised blocks
 * @param chatTemplate a file that takes the place of the model's own chat template
 */
public record LoadOptions(
    String device,
    int threads,
    Precision precision,
    Arithmetic arithmetic,
    Optional<Path> chatTemplate) {

  /**
   * On the CPU, a thread for each physical core, matrices as the file has them, weights in blocks
   * multiplied in integers: what the command line does without options.
   */
  public static final LoadOptions DEFAULT =
      new LoadOptions(
          "cpu", Cores.physical(), Precision.FILE, Arithmetic.INTEGER, Optional.empty());

  /** Refuses numbers of threads that no machine has. */
  public LoadOptions {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(precision, "precision");
    Objects.requireNonNull(arithmetic, "arithmetic");
    Objects.requireNonNull(chatTemplate, "chatTemplate");
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads " + threads + " is outside 1 to 1024");
    }
  }

  /** The same on another device. */
  public LoadOptions device(String word) {
    return new LoadOptions(word, threads, precision, arithmetic, chatTemplate);
  }

  /** The same with another number of threads. */
  public LoadOptions threads(int count) {
    return new LoadOptions(device, count, precision, arithmetic, chatTemplate);
  }

  /** The same with matrices in another type. */
  public LoadOptions precision(Precision type) {
    return new LoadOptions(device, threads, type, arithmetic, chatTemplate);
  }

  /** The same in F32 also where weights are in quantised blocks. */
  public LoadOptions exact() {
    return new LoadOptions(device, threads, precision, Arithmetic.EXACT, chatTemplate);
  }

  /** The same with a chat template from a file. */
  public LoadOptions chatTemplate(Path file) {
    return new LoadOptions(device, threads, precision, arithmetic, Optional.of(file));
  }
}

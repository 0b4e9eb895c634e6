package dev.sortie.nn.format;

import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.function.Supplier;

/**
 * A tensor that a file will have.
 *
 * @param data gives its elements, once, when their turn comes
 */
record PendingTensor(DType dtype, List<Long> shape, Supplier<Span> data) {
  PendingTensor {
    shape = List.copyOf(shape);
  }

  /** Fails unless {@code data} fits {@code shape}. */
  static void check(String name, Span data, List<Long> shape) {
    if (TensorInfo.elements(shape) != data.length()) {
      throw new IllegalArgumentException(
          "tensor %s: shape %s does not hold %d elements"
              .formatted(Printable.value(name), shape, data.length()));
    }
  }

  long bytes() {
    return dtype.bytes(TensorInfo.elements(shape));
  }

  /** Writes its elements. */
  void write(String name, FileChannel out) throws IOException {
    Span span = data.get();
    if (span.dtype() != dtype || span.bytes() != bytes()) {
      throw new IllegalStateException(
          "tensor %s was announced as %s of shape %s, but is %d elements of %s"
              .formatted(name, dtype, shape, span.length(), span.dtype()));
    }
    AtomicFiles.writeFully(out, span.segment());
  }
}

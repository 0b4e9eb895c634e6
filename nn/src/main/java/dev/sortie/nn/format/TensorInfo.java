package dev.sortie.nn.format;

import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import java.util.List;

/**
 * Where a tensor lies.
 *
 * @param name its name in the file
 * @param dtype its element type
 * @param shape its dims, outermost first; empty for a scalar
 * @param file the file that holds its data
 * @param offset first byte of its data, from the start of that file
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, Path file, long offset) {
  /** Copies the shape; fails with an {@link ArithmeticException} if the size overflows. */
  public TensorInfo {
    shape = List.copyOf(shape);
    dtype.bytes(elements(shape));
  }

  /** Its file and name, as messages begin. */
  public String where() {
    return file + ": tensor " + name;
  }

  /** Number of elements. */
  public long elements() {
    return elements(shape);
  }

  /** Number of bytes. */
  public long bytes() {
    return dtype.bytes(elements());
  }

  /** Product of dims, 1 for a scalar; the overflow is found even where a later dim is 0. */
  public static long elements(List<Long> shape) {
    long product = 1;
    boolean empty = false;
    for (long dim : shape) {
      if (dim == 0) {
        empty = true;
      } else {
        product = Math.multiplyExact(product, dim);
      }
    }
    return empty ? 0 : product;
  }
}

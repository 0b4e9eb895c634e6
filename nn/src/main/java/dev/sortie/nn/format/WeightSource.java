package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/**
 * Named tensors of a model on disk, mapped and copied only where {@link #isMapped} says so. Spans
 * are valid until {@link #close}.
 */
public interface WeightSource extends AutoCloseable {
  /** The file or folder that was opened, for messages. */
  Path origin();

  /** All tensors by name, in the order of the file. */
  SequencedMap<String, TensorInfo> tensors();

  /**
   * Whether {@link #read} returns memory of the mapped file: read-only, and aligned to no more than
   * a byte. Otherwise it returns a copy, a new one at each call, which lives as long as this
   * source.
   */
  default boolean isMapped(String name) {
    return true;
  }

  /**
   * The elements of a tensor, row-major.
   *
   * @throws InputException if there is no such tensor
   */
  Span read(String name);

  /**
   * The elements of a tensor whose shape is known beforehand.
   *
   * @throws InputException if there is no such tensor, or its shape is another
   */
  default Span read(String name, long rows, long... more) {
    List<Long> expected = new ArrayList<>();
    expected.add(rows);
    for (long dim : more) {
      expected.add(dim);
    }
    Span span = read(name);
    List<Long> found = tensors().get(name).shape();
    if (!found.equals(expected)) {
      throw new InputException(
          "%s: tensor %s has shape %s, the model's configuration needs %s"
              .formatted(origin(), Printable.value(name), found, expected));
    }
    return span;
  }

  @Override
  void close();
}

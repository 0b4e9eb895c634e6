package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Weights under other names than their file has; a tensor's {@link TensorInfo#name} stays the
 * file's own, so that messages name what is there. Tensors without a new name cannot be seen.
 */
final class RenamedWeights implements WeightSource {
  private final WeightSource source;
  private final Map<String, String> names;
  private final SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();

  /**
   * A view of {@code source}, which it closes.
   *
   * @param names new name to the one in the file
   */
  RenamedWeights(WeightSource source, SequencedMap<String, String> names) {
    this.source = source;
    this.names = Map.copyOf(names);
    names.forEach((name, stored) -> tensors.put(name, source.tensors().get(stored)));
  }

  @Override
  public Path origin() {
    return source.origin();
  }

  @Override
  public SequencedMap<String, TensorInfo> tensors() {
    return Collections.unmodifiableSequencedMap(tensors);
  }

  @Override
  public Span read(String name) {
    String stored = names.get(name);
    if (stored == null) {
      throw new InputException(
          "%s: has no tensor for %s among its %d"
              .formatted(origin(), Show.value(name), tensors.size()));
    }
    return source.read(stored);
  }

  @Override
  public void close() {
    source.close();
  }
}

package dev.sortie.nn.family;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Weights under the decoder's names, taken from a file that has other names, fuses tensors, or
 * stores them otherwise. A tensor's {@link TensorInfo#name} stays the file's own, so that messages
 * name what is there.
 */
final class FamilyWeights implements WeightSource {
  /** One tensor of the decoder. */
  private record Source(String file, Packing piece, List<Long> shape) {}

  private final WeightSource stored;
  private final DecoderConfig config;
  private final Map<String, Source> sources = new HashMap<>();
  private final SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final NativeArena copies = new NativeArena("rearranged weights");

  private FamilyWeights(WeightSource stored, DecoderConfig config) {
    this.stored = stored;
    this.config = config;
  }

  /**
   * A view of {@code stored}, which it closes.
   *
   * @param rules for the tensors whose name or form differs
   * @param dropped prefix of names that a file may lack as a whole, or an empty string
   * @param ignored endings of names of tensors that are no weights
   * @throws InputException if a tensor is missing or has another shape than the configuration says
   */
  static WeightSource of(
      WeightSource stored,
      DecoderConfig config,
      List<NameRule> rules,
      String dropped,
      List<String> ignored) {
    FamilyWeights weights = new FamilyWeights(stored, config);
    boolean drop =
        !dropped.isEmpty()
            && stored.tensors().keySet().stream().noneMatch(n -> n.startsWith(dropped));
    Set<String> unused = new LinkedHashSet<>(stored.tensors().keySet());
    DecoderTensors.of(config)
        .forEach((name, shape) -> unused.remove(weights.add(name, shape, rules, dropped, drop)));
    unused.removeIf(name -> ignored.stream().anyMatch(name::endsWith));
    unused.forEach(name -> weights.tensors.putIfAbsent(name, stored.tensors().get(name)));
    return weights;
  }

  /** Returns the name in the file. */
  private String add(
      String name, List<Long> shape, List<NameRule> rules, String dropped, boolean drop) {
    String file = name;
    Packing piece = Packing.WHOLE;
    for (NameRule rule : rules) {
      String other = rule.fileName(name);
      if (other != null) {
        file = drop && other.startsWith(dropped) ? other.substring(dropped.length()) : other;
        piece = rule.piece();
      }
    }
    List<Long> needed = piece.fileShape(config, shape);
    TensorInfo info = stored.tensors().get(file);
    if (info == null) {
      throw new InputException(
          "%s: tensor %s is missing; the configuration needs it with shape %s"
              .formatted(stored.origin(), file, needed));
    }
    if (!info.shape().equals(needed)) {
      throw new InputException(
          "%s: tensor %s has shape %s, the configuration needs %s"
              .formatted(info.file(), file, info.shape(), needed));
    }
    sources.put(name, new Source(file, piece, shape));
    tensors.put(
        name, new TensorInfo(file, piece.type(info.dtype()), shape, info.file(), info.offset()));
    return file;
  }

  @Override
  public Path origin() {
    return stored.origin();
  }

  @Override
  public SequencedMap<String, TensorInfo> tensors() {
    return Collections.unmodifiableSequencedMap(tensors);
  }

  @Override
  public Span read(String name) {
    Source s = sources.get(name);
    if (s == null) {
      return stored.read(name);
    }
    return s.piece.take(stored.read(s.file), config, s.shape, copies);
  }

  @Override
  public boolean isMapped(String name) {
    Source s = sources.get(name);
    return s == null ? stored.isMapped(name) : s.piece.isRun(s.shape) && stored.isMapped(s.file);
  }

  @Override
  public void close() {
    stored.close();
    copies.close();
  }
}

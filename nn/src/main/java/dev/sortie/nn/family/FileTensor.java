package dev.sortie.nn.family;

import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * A tensor as a file has it.
 *
 * @param name its name there
 * @param parts the decoder's tensors that it holds
 * @param shape its dims, outermost first
 */
public record FileTensor(String name, List<String> parts, List<Long> shape) {

  /** All weights of a model, in the order in which the decoder asks for their first parts. */
  static List<FileTensor> all(DecoderConfig config, List<NameRule> rules) {
    SequencedMap<String, FileTensor> out = new LinkedHashMap<>();
    DecoderTensors.of(config)
        .forEach(
            (name, shape) -> {
              NameRule rule = rule(name, rules);
              String file = rule == null ? name : rule.fileName(name);
              Packing piece = rule == null ? Packing.WHOLE : rule.piece();
              List<Long> whole = piece.fileShape(config, shape);
              out.merge(file, new FileTensor(file, List.of(name), whole), FileTensor::joined);
            });
    return List.copyOf(out.values());
  }

  /** Whether the file has a tensor of the decoder just as it is, under whatever name. */
  static boolean isWhole(List<NameRule> rules, String part) {
    NameRule rule = rule(part, rules);
    return rule == null || rule.piece().equals(Packing.WHOLE);
  }

  /**
   * Puts one of the parts where it belongs in the whole.
   *
   * @param from the decoder's tensor {@code part}
   * @param whole this tensor, of the same type
   */
  static void put(DecoderConfig config, List<NameRule> rules, String part, Span from, Span whole) {
    NameRule rule = rule(part, rules);
    Packing piece = rule == null ? Packing.WHOLE : rule.piece();
    piece.put(from, whole, config, DecoderTensors.of(config).get(part));
  }

  /** The last rule for a tensor, or null if it has the decoder's name. */
  private static NameRule rule(String name, List<NameRule> rules) {
    return rules.reversed().stream().filter(r -> r.fileName(name) != null).findFirst().orElse(null);
  }

  private FileTensor joined(FileTensor next) {
    List<String> all = new ArrayList<>(parts);
    all.addAll(next.parts);
    return new FileTensor(name, List.copyOf(all), shape);
  }
}

package dev.sortie.eetuning.train;

import dev.sortie.nn.Part;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.parallel.shard.Portion;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes one rank's file of a checkpoint: a safetensors file with the tensors, or parts of tensors,
 * for which the rank answers. Which parts they are stands in its metadata, as JSON: {@code {"name":
 * [dim, from, size of the whole]}}.
 */
final class ShardWriter {
  /** Key of the metadata. */
  static final String PARTS = "parts";

  private ShardWriter() {}

  static void write(Path file, Map<String, StatePart> state) {
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, List<Long>> parts = new LinkedHashMap<>();
    state.forEach(
        (name, s) -> {
          Portion portion = s.portion();
          if (portion.first()) {
            writer.tensor(name, s.tensor().span(), s.tensor().shape().dims());
            portion.part().ifPresent(p -> parts.put(name, numbers(portion, p)));
          }
        });
    if (!parts.isEmpty()) {
      writer.metadata(PARTS, Json.compact(parts));
    }
    writer.write(file);
  }

  private static List<Long> numbers(Portion portion, Part part) {
    return List.of((long) part.dim(), part.from(), portion.whole().dim(part.dim()));
  }
}

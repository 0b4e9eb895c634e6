package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.nn.Slice;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.json.Json;
import dev.sortie.parallel.shard.TensorShard;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Writes one rank's file of a checkpoint: a safetensors file with the tensors, or parts of tensors,
 * for which the rank answers. Which parts they are stands in its metadata, as JSON: {@code {"name":
 * [dim, from, size of the whole]}}.
 */
final class ShardWriter {
  /** Key of the metadata. */
  static final String PARTS = "parts";

  private ShardWriter() {}

  /**
   * Writes what this rank answers for, and returns the file's SHA-256.
   *
   * @param halfWay runs when half of the tensors are written, if there are two or more
   */
  static String write(Path file, Map<String, ShardedTensor> state, Runnable halfWay) {
    Map<String, TensorShard> portions = new LinkedHashMap<>();
    state.forEach((name, s) -> portions.put(name, s.portion()));
    List<String> names =
        portions.keySet().stream().filter(name -> portions.get(name).first()).toList();
    String middle = names.size() < 2 ? null : names.get(names.size() / 2);
    return write(
        file,
        portions,
        name -> {
          if (name.equals(middle)) {
            halfWay.run();
          }
          return state.get(name).tensor().span();
        });
  }

  /** Writes parts of what another checkpoint holds, one tensor after another. */
  static String copy(
      Path file, ShardReader from, Map<String, TensorShard> portions, Kernels kernels) {
    try (Workspace workspace = new Workspace()) {
      return write(
          file,
          portions,
          name -> {
            workspace.reset();
            TensorShard p = portions.get(name);
            Tensor t = Tensor.allocate(workspace, DType.F32, p.mine());
            from.restore(Map.of(name, new ShardedTensor(t, p)), kernels);
            return t.span();
          });
    }
  }

  private static String write(
      Path file, Map<String, TensorShard> portions, Function<String, Span> elements) {
    SafetensorsWriter writer = new SafetensorsWriter();
    Map<String, List<Long>> parts = new LinkedHashMap<>();
    portions.forEach(
        (name, portion) -> {
          if (portion.first()) {
            List<Long> dims = Arrays.stream(portion.mine().dims()).boxed().toList();
            writer.tensor(name, DType.F32, dims, () -> elements.apply(name));
            portion.part().ifPresent(p -> parts.put(name, numbers(portion, p)));
          }
        });
    if (!parts.isEmpty()) {
      writer.metadata(PARTS, Json.compact(parts));
    }
    writer.write(file);
    return Sha256.of(file);
  }

  private static List<Long> numbers(TensorShard portion, Slice part) {
    return List.of((long) part.dim(), part.from(), portion.whole().dim(part.dim()));
  }
}

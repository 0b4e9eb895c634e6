package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Slice;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.parallel.shard.TensorShard;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The tensors of a checkpoint by name, whatever files their elements are in: each element is in one
 * file, once.
 */
final class ShardReader implements AutoCloseable {
  private final Path folder;
  private final List<Safetensors> files = new ArrayList<>();
  private final SequencedMap<String, List<Piece>> pieces = new LinkedHashMap<>();

  /** Some elements of a tensor, in a file. */
  private record Piece(Safetensors file, Shape whole, Optional<Slice> part) {
    long from() {
      return part.map(Slice::from).orElse(0L);
    }
  }

  /**
   * Opens the files of a checkpoint.
   *
   * @throws InputException if one is no good, or an element is in two of them or in none
   */
  ShardReader(Path folder, Collection<String> names) {
    this.folder = folder;
    try {
      for (String name : names) {
        Safetensors file = Safetensors.open(folder.resolve(name));
        files.add(file);
        Optional<JsonObject> parts =
            Optional.ofNullable(file.metadata().get(ShardWriter.PARTS))
                .map(text -> Json.parse(folder.resolve(name) + ": parts", text, JsonLimits.DATA));
        file.tensors()
            .forEach(
                (tensor, info) ->
                    pieces
                        .computeIfAbsent(tensor, t -> new ArrayList<>())
                        .add(piece(file, info, parts)));
      }
      pieces.forEach(this::checkCoverage);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static Piece piece(Safetensors file, TensorInfo info, Optional<JsonObject> parts) {
    long[] dims = info.shape().stream().mapToLong(Long::longValue).toArray();
    if (parts.filter(p -> p.fields().containsKey(info.name())).isEmpty()) {
      return new Piece(file, Shape.of(dims), Optional.empty());
    }
    String name = info.name();
    List<?> numbers = parts.get().getList(name);
    if (numbers.size() == 3
        && numbers.get(0) instanceof Long dim
        && numbers.get(1) instanceof Long from
        && numbers.get(2) instanceof Long size
        && dim >= 0
        && dim < dims.length
        && from >= 0) {
      int d = dim.intValue();
      Slice part = new Slice(d, from, dims[d]);
      dims[d] = size;
      if (part.count() <= size && from <= size - part.count() && isShape(dims)) {
        return new Piece(file, Shape.of(dims), Optional.of(part));
      }
    }
    throw parts.get().error(name, "[dim, from, size of the whole], with a part of " + info.shape());
  }

  /** Whether so many elements can be counted. */
  private static boolean isShape(long[] dims) {
    try {
      Shape.of(dims);
      return true;
    } catch (ArithmeticException e) {
      return false;
    }
  }

  /** Each element once. */
  private void checkCoverage(String name, List<Piece> list) {
    list.sort(Comparator.comparingLong(Piece::from));
    Piece first = list.getFirst();
    if (list.size() == 1 && first.part.isEmpty()) {
      return;
    }
    int dim = first.part.map(Slice::dim).orElse(0);
    long next = 0;
    for (Piece p : list) {
      if (!p.whole.equals(first.whole) || p.part.map(Slice::dim).orElse(-1) != dim) {
        throw new InputException(
            "%s: tensor %s is in parts that do not belong together: %s of %s and %s of %s"
                .formatted(folder, name, first.part, first.whole, p.part, p.whole));
      }
      checkNext(name, dim, next, p.from());
      next = p.from() + p.part.get().count();
    }
    checkNext(name, dim, next, first.whole.dim(dim));
  }

  private void checkNext(String name, int dim, long expected, long found) {
    if (found != expected) {
      throw new InputException(
          "%s: tensor %s: elements %d to %d of dim %d are in %s"
              .formatted(
                  folder,
                  name,
                  Math.min(expected, found),
                  Math.max(expected, found),
                  dim,
                  found > expected ? "no file" : "two files"));
    }
  }

  /** All tensors, with their whole shapes. */
  SequencedMap<String, Shape> tensors() {
    SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
    pieces.forEach((name, list) -> shapes.put(name, list.getFirst().whole));
    return shapes;
  }

  /** Reads the elements of these tensors; another rank may need the others. */
  void restore(Map<String, ShardedTensor> state, Kernels kernels) {
    state.forEach((name, s) -> restore(name, s, kernels));
  }

  private void restore(String name, ShardedTensor to, Kernels kernels) {
    List<Piece> from = pieces.get(name);
    if (from == null) {
      throw new InputException(
          folder + ": the checkpoint has no tensor " + name + "; give another --out");
    }
    TensorShard mine = to.portion();
    for (Piece p : from) {
      DType type = p.file.tensors().get(name).dtype();
      if (!p.whole.equals(mine.whole()) || type != DType.F32) {
        throw new InputException(
            "%s: tensor %s is %s of shape %s, this run needs F32 of shape %s"
                .formatted(folder, name, type, p.whole, mine.whole()));
      }
      if (p.part.isEmpty() && mine.part().isEmpty()) {
        kernels.copy(p.file.read(name), to.tensor().span());
      } else {
        copyShared(p.file.read(name), Box.of(p.whole, p.part), to.tensor().span(), mine);
      }
    }
  }

  /** Copies the elements that a piece and this rank's part both have, run by run. */
  private static void copyShared(Span from, Box source, Span to, TensorShard mine) {
    Box target = Box.of(mine.whole(), mine.part());
    Box both = source.and(target);
    int last = both.from.length - 1;
    long run = both.to[last] - both.from[last];
    long[] at = both.from.clone();
    for (long runs = both.count() / Math.max(1, run); runs > 0; runs--) {
      Span elements = from.slice(source.offset(at), run);
      to.slice(target.offset(at), run).segment().copyFrom(elements.segment());
      for (int d = last - 1; d >= 0 && ++at[d] == both.to[d]; d--) {
        at[d] = both.from[d];
      }
    }
  }

  /** Elements from {@code from} to before {@code to} in each dim. */
  private record Box(long[] from, long[] to) {
    static Box of(Shape whole, Optional<Slice> part) {
      long[] from = new long[whole.rank()];
      long[] to = whole.dims();
      part.ifPresent(
          p -> {
            from[p.dim()] = p.from();
            to[p.dim()] = p.from() + p.count();
          });
      return new Box(from, to);
    }

    Box and(Box other) {
      long[] low = new long[from.length];
      long[] high = new long[from.length];
      for (int d = 0; d < from.length; d++) {
        low[d] = Math.max(from[d], other.from[d]);
        high[d] = Math.max(low[d], Math.min(to[d], other.to[d]));
      }
      return new Box(low, high);
    }

    long count() {
      long count = 1;
      for (int d = 0; d < from.length; d++) {
        count *= to[d] - from[d];
      }
      return count;
    }

    /** Where an element of the whole lies in memory that holds these. */
    long offset(long[] at) {
      long offset = 0;
      for (int d = 0; d < from.length; d++) {
        offset = offset * (to[d] - from[d]) + at[d] - from[d];
      }
      return offset;
    }
  }

  @Override
  public void close() {
    files.forEach(Safetensors::close);
  }
}
